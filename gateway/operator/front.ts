import { SallyportError } from "../../platform/errors.ts";
import { readBearer } from "../bearer.ts";
import type { GatewayEvents } from "../events.ts";
import type { Front } from "../front.ts";
import { DIRECT } from "../transport.ts";
import type { OperatorToken } from "./token.ts";

/** A report of 8 MiB whose bodies are in base64. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;

/** The front for operators: with their token. */
export function operatorFront(token: OperatorToken, events: Pick<GatewayEvents, "operatorCalled" | "operatorRefused">): Front {
  return {
    audience: "operator",
    transport: DIRECT,
    maxResponseBytes: MAX_RESPONSE_BYTES,
    identify: async ({ path }, authorization, address) => {
      const shown = readBearer(authorization);
      if (shown === undefined) {
        throw new SallyportError("UNAUTHENTICATED", "no operator token", { reason: "CREDENTIAL_MISSING" });
      }
      if (!(await token.matches(shown))) {
        events.operatorRefused(address);
        throw new SallyportError("UNAUTHENTICATED", "the operator token is not valid", { reason: "OPERATOR_TOKEN_REFUSED" });
      }
      events.operatorCalled(path, address);
      return { isOperator: true };
    },
  };
}
