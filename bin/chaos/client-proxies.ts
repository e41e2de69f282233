import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { withoutBrackets } from "../../platform/env.ts";
import type { Disposables } from "../../platform/lifecycle.ts";
import { proxyModeOf } from "./fault.ts";
import { FaultProxy } from "./fault-proxy.ts";
import type { Inject } from "./injection.ts";

/** Proxies of the client's side before gateways that are somewhere else, and the faults that they can make. */
export interface ClientProxies {
  /** Where clients connect instead. */
  readonly urls: readonly string[];
  /** Does the faults of connections to a gateway, by its place in the list; skips all others. */
  readonly inject: Inject;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** Puts a proxy before each gateway. Clients speak plain HTTP to it; to a gateway at an https URL it speaks TLS, and checks its certificate. */
export async function openClientProxies(urls: readonly string[], owner: Disposables): Promise<ClientProxies> {
  const proxies = await Promise.all(urls.map(async (url) => owner.use(await FaultProxy.start(0, connectorTo(new URL(url))))));
  return {
    urls: proxies.map(({ address }, index) => `http://${address}${new URL(urls[index] ?? "").pathname.replace(/\/$/, "")}`),
    inject: async ({ fault, target }) => {
      const proxy = target.kind === "gateway" ? proxies[target.index] : undefined;
      if (proxy === undefined) {
        return { skipped: "only what is before the gateways can be reached from here" };
      }
      const mode = proxyModeOf(fault);
      if (mode !== undefined) {
        await proxy.setMode(mode);
      } else if (fault.kind === "cut") {
        proxy.cut();
      } else {
        return { skipped: `a proxy cannot ${fault.kind} what is behind it` };
      }
      return {
        victim: `the way to ${urls[target.kind === "gateway" ? target.index : 0]}`,
        heal: () => proxy.setMode({ kind: "pass" }),
        isOver: async () => true,
      };
    },
  };
}

function connectorTo({ hostname, port, protocol }: URL): () => Socket {
  const host = withoutBrackets(hostname);
  const options = { host, port: Number(port || DEFAULT_PORTS[protocol]), allowHalfOpen: true, noDelay: true };
  return protocol === "https:" ? () => connectTls({ ...options, servername: host }) : () => connectTcp(options);
}
