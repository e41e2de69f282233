import { TrustedProxies } from "./client-address.ts";

/** How clients reach a listener. */
export interface Transport {
  /** Whether they speak TLS, to it or to the proxy before it. */
  readonly isSecure: boolean;
  readonly trustedProxies: TrustedProxies;
}

/** Without TLS, and with no proxy in between. */
export const DIRECT: Transport = { isSecure: false, trustedProxies: new TrustedProxies([]) };
