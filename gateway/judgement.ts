import { SallyportError } from "../platform/errors.ts";
import type { ServiceName } from "../proto/method.ts";
import type { GatewayContext } from "./context.ts";
import type { Grant } from "./exchange.ts";

/** The socket that a refresh token came from. */
export interface Presenter {
  readonly id: number;
  readonly address: string;
}

/** What the account service says of a refresh token. `failed`: it was not judged, as far as the gateway knows. */
export type Judgement =
  | { readonly kind: "accepted"; readonly grant: Grant; readonly nextRefreshToken: Uint8Array; readonly accessToken: Uint8Array }
  | { readonly kind: "refused" }
  /** Refused, as too many were that came from its address. */
  | { readonly kind: "limited"; readonly retryAfterMs: number }
  | { readonly kind: "failed" };

/** Has a refresh token judged, until a deadline in milliseconds since the epoch. Never rejects. */
export async function judge(
  { services, incarnation, limits }: GatewayContext,
  { id: connection, address }: Presenter,
  service: ServiceName,
  refreshToken: Uint8Array,
  deadline: number,
): Promise<Judgement> {
  try {
    const request = { refreshToken, service, address, incarnation, connection };
    const answer = await services.account.pick(`${connection}`).tokens.presentRefreshToken(request, { deadline, address });
    const { accountId, sessionId, generation, nextRefreshToken, accessToken, grantId } = answer;
    return { kind: "accepted", grant: { service, accountId, sessionId, generation, grantId }, nextRefreshToken, accessToken };
  } catch (error) {
    if (!(error instanceof SallyportError && error.status === "UNAUTHENTICATED")) {
      return { kind: "failed" };
    }
    const taking = limits.takeRefusedExchange(address);
    return taking.kind === "taken" ? { kind: "refused" } : { kind: "limited", retryAfterMs: taking.retryAfterMs };
  }
}

/**
 * Ends access tokens of a connection, retried until it is done. A token whose grant is not known here, as the answer to its judgement was lost,
 * is nobody's: it goes with its gateway's run.
 */
export function release({ cleanup, incarnation, services, clock }: GatewayContext, connection: number, grants: readonly Grant[]): void {
  if (grants.length === 0) {
    return;
  }
  const grantIds = grants.map(({ grantId }) => grantId);
  cleanup.add(() => {
    const { tokens } = services.account.pick(`${connection}`);
    return tokens.releaseConnection({ incarnation, connection, grantIds }, { deadline: clock() + 5_000 });
  });
}
