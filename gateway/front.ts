import type { CallOptions } from "../platform/rpc/client.ts";
import type { AccessChecks } from "./access.ts";
import type { Audience, ServedMethod } from "./forward.ts";
import type { Transport } from "./transport.ts";

/** What a call tells its service of who calls. */
export type Identity = Pick<CallOptions, "caller" | "isOperator">;

/** Whose calls over HTTP a listener serves, and how it knows who they are. */
export interface Front {
  readonly audience: Audience;
  readonly transport: Transport;
  /** The longest response, in bytes. */
  readonly maxResponseBytes: number;
  /**
   * Who calls a method, by an `Authorization` header (RFC 6750) and the client's address.
   * @throws SallyportError UNAUTHENTICATED, PERMISSION_DENIED, or UNAVAILABLE when nobody can be asked.
   */
  identify(method: ServedMethod, authorization: string | null, address: string): Promise<Identity>;
}

const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;

/** The front for apps: with the access token that a method asks for. */
export function publicFront(access: AccessChecks, transport: Transport): Front {
  return {
    audience: "public",
    transport,
    maxResponseBytes: MAX_RESPONSE_BYTES,
    identify: async ({ credential }, authorization, address) =>
      credential === "account" || credential === "chat" ? { caller: await access.check(authorization, credential, address) } : {},
  };
}
