import { connect } from "node:net";
import { FaultProxy } from "../../../bin/chaos/fault-proxy.ts";

/** A way to a database that can be cut, with every connection, and opened again. */
export class DatabaseWay implements AsyncDisposable {
  /** The URI that leads along it. */
  readonly uri: string;
  readonly #proxy: FaultProxy;

  private constructor(proxy: FaultProxy, uri: string) {
    this.#proxy = proxy;
    this.uri = uri;
  }

  /** A way to the server that a MongoDB URI names. */
  static async to(uri: string): Promise<DatabaseWay> {
    const [, port = "", path = ""] = /:(\d+)(\/[^?]*)/.exec(uri) ?? [];
    const proxy = await FaultProxy.start(0, () => connect({ port: Number(port), host: "127.0.0.1", noDelay: true, allowHalfOpen: true }));
    return new DatabaseWay(proxy, `mongodb://${proxy.address}${path}?directConnection=true`);
  }

  cut(): Promise<void> {
    return this.#proxy.setMode({ kind: "refuse" });
  }

  open(): Promise<void> {
    return this.#proxy.setMode({ kind: "pass" });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#proxy[Symbol.asyncDispose]();
  }
}
