/**
 * Whether a browser's page may open a socket. No `Origin` comes from no browser. Without a list, the origin has to have the
 * host and port that the request itself went to. Clients speak TLS to a listener that `isSecure`, so its port is 443 unless the host says otherwise.
 */
export function isOriginAllowed(origin: string | undefined, host: string, allowed: readonly string[], isSecure = false): boolean {
  if (origin === undefined) {
    return true;
  }
  const canonical = canonicalOrigin(origin);
  if (canonical === undefined) {
    return false;
  }
  if (allowed.length > 0) {
    return allowed.some((candidate) => canonicalOrigin(candidate) === canonical);
  }
  // Without TLS of ours there may be a proxy's in front of a loopback host: the origin's scheme says which port goes without saying.
  const scheme = isSecure ? "https" : /^https?(?=:)/.exec(canonical)?.[0];
  return scheme !== undefined && canonicalOrigin(`${scheme}://${host}`) === canonical;
}

/**
 * An origin (RFC 6454 section 6.2) in the one form that is compared: lower case, without a default port. Apps in a web view have schemes of
 * their own (`capacitor://localhost`). Undefined for what is none: `null`, a wildcard, several, a file.
 */
export function canonicalOrigin(text: string): string | undefined {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^/?#@\s]+\/?$/i.test(text) || !URL.canParse(text)) {
    return undefined;
  }
  const { origin, protocol, host } = new URL(text);
  if (host === "" || host.includes("*")) {
    return undefined;
  }
  return origin === "null" ? `${protocol}//${host.toLowerCase()}` : origin;
}
