/**
 * Whether a browser's page may open a socket. No `Origin` comes from no browser. Without a list, the origin has to have the
 * host and port that the request itself went to.
 */
export function isOriginAllowed(origin: string | undefined, host: string, allowed: readonly string[]): boolean {
  if (origin === undefined) {
    return true;
  }
  if (!URL.canParse(origin)) {
    return false;
  }
  const { origin: normal, protocol, host: originHost } = new URL(origin);
  if (allowed.length > 0) {
    return allowed.some((candidate) => URL.canParse(candidate) && normal !== "null" && new URL(candidate).origin === normal);
  }
  // The default port of the origin's scheme may be written out or not.
  const own = `${protocol}//${host}`;
  return originHost !== "" && URL.canParse(own) && new URL(own).host === originHost;
}
