// The scheme's case does not matter (RFC 9110 section 11.1), the token's does.
const BEARER = /^Bearer +(\S+) *$/i;

/** The token of an `Authorization` header (RFC 6750); undefined when it has none. */
export function readBearer(authorization: string | null): string | undefined {
  return BEARER.exec(authorization ?? "")?.[1];
}
