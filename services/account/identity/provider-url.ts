import { isLoopbackHost } from "../../../platform/env.ts";

/** Where a provider may be: anywhere over https, on this machine also over http. */
export const PROVIDER_URL = "an https URL (http on a loopback host) without credentials, query and fragment";

/** Whether a text is a URL that a provider may be at. */
export function isProviderUrl(text: string): boolean {
  if (!URL.canParse(text)) {
    return false;
  }
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
  return isSafe && username === "" && password === "" && !/[?#\s]/.test(text);
}
