import { createHmac, timingSafeEqual } from "node:crypto";
import type { ServiceName } from "../../../proto/method.ts";
import { derivedKey } from "./derived-key.ts";

/** An access token: 20 random bytes ‖ the first 12 bytes of their HMAC-SHA-256. The database knows it by its SHA-256. */
const ACCESS_TOKEN_BYTES = 32;
/** How many of its bytes are random. */
export const ACCESS_RANDOM_BYTES = 20;

/** The access token of 20 random bytes, with the token key `secret`. */
export function makeAccessToken(random: Uint8Array, secret: Buffer): Buffer {
  return Buffer.concat([random, mac(random, secret)]);
}

/** Whether one of the token keys made it. The MAC is no proof of who calls: it keeps garbage from the database. */
export function isOurAccessToken(token: Uint8Array, secrets: readonly Buffer[]): boolean {
  const [random, shown] = [token.subarray(0, ACCESS_RANDOM_BYTES), token.subarray(ACCESS_RANDOM_BYTES)];
  return token.length === ACCESS_TOKEN_BYTES && secrets.some((secret) => timingSafeEqual(mac(random, secret), shown));
}

function mac(random: Uint8Array, secret: Buffer): Buffer {
  return createHmac("sha256", derivedKey(secret, "sallyport access token"))
    .update(random)
    .digest()
    .subarray(0, ACCESS_TOKEN_BYTES - ACCESS_RANDOM_BYTES);
}

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
