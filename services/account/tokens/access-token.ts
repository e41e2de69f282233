import type { ServiceName } from "../../../proto/method.ts";

/** An access token: 32 random bytes, known to the database by their SHA-256. */
export const ACCESS_TOKEN_BYTES = 32;

/** What an access token was given for. */
export interface Grant {
  readonly service: ServiceName;
  readonly accountId: string;
  readonly sessionId: string;
  /** Of the refresh token that was minted with it. */
  readonly generation: number;
  /** The socket whose exchange minted it; a login's own token has none and works in debug mode only. */
  readonly socket?: GrantSocket;
}

/** The socket that an access token lives and dies with. */
export interface GrantSocket {
  /** The client's address in canonical form. */
  readonly address: string;
  /** The gateway's run. */
  readonly incarnation: string;
  readonly connection: number;
}

/** How an access token is shown, and what is known about the world. */
export interface Showing {
  readonly service: ServiceName;
  readonly address: string;
  /** Whether the session lives, and its account is neither locked nor deleted. */
  readonly isSessionLive: boolean;
  /** Whether the lease of the socket's gateway runs. */
  readonly isLeaseHeld: boolean;
  /** Whether gateways may not have had the time to renew their leases. */
  readonly isSettling: boolean;
  /** In debug mode neither socket nor address counts. */
  readonly debug: boolean;
}

/** `unsettled`: nobody can tell yet. */
export type Verdict = "valid" | "refused" | "otherService" | "unsettled";

/** Judges an access token that is known. */
export function judgeGrant(grant: Grant, showing: Showing): Verdict {
  if (!showing.isSessionLive) {
    return "refused";
  }
  if (!showing.debug) {
    if (grant.socket === undefined || grant.socket.address !== showing.address) {
      return "refused";
    }
    if (!showing.isLeaseHeld) {
      return showing.isSettling ? "unsettled" : "refused";
    }
  }
  return grant.service === showing.service ? "valid" : "otherService";
}
