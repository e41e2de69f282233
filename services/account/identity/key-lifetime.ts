/** The shortest lifetime that is kept to, in milliseconds. */
export const MIN_LIFETIME_MS = 60_000;
/** The longest, in milliseconds. */
export const MAX_LIFETIME_MS = 86_400_000;
/** The lifetime of a response that states none, in milliseconds. */
export const DEFAULT_LIFETIME_MS = 3_600_000;

/** How long a response may be used without asking again (RFC 9111 section 4.2), in milliseconds, within our bounds. */
export function lifetimeOf(headers: Headers): number {
  return Math.min(MAX_LIFETIME_MS, Math.max(MIN_LIFETIME_MS, statedLifetime(headers) ?? DEFAULT_LIFETIME_MS));
}

function statedLifetime(headers: Headers): number | undefined {
  const directives = directivesOf(headers.get("cache-control") ?? "");
  if (directives.has("no-store") || directives.has("no-cache")) {
    return 0;
  }
  const age = secondsOf(headers.get("age") ?? undefined) ?? 0;
  const maxAge = secondsOf(directives.get("max-age"));
  if (maxAge !== undefined) {
    return (maxAge - age) * 1000;
  }
  const expires = headers.get("expires");
  if (expires === null) {
    return undefined;
  }
  const lifetime = Date.parse(expires) - Date.parse(headers.get("date") ?? "");
  // RFC 9111 section 5.3: an expiry that cannot be read is one that has passed.
  return Number.isNaN(lifetime) ? 0 : lifetime - age * 1000;
}

function directivesOf(cacheControl: string): ReadonlyMap<string, string | undefined> {
  const pairs = cacheControl.split(",").map((directive): [string, string | undefined] => {
    const [name = "", value] = directive.trim().split("=", 2);
    return [name.toLowerCase(), value?.replaceAll('"', "")];
  });
  return new Map(pairs);
}

function secondsOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
