import { atMost } from "../platform/lifecycle.ts";
import type { ServiceName } from "../proto/method.ts";
import type { Copy, Services } from "./relay.ts";
import { retry } from "./retry.ts";

const RENEW_MS = 5_000;
const ASK_MS = 2_000;
const END_MS = 1_000;

/** The lease of a gateway's incarnation, at every service: what grants and presence rest on. */
export class Leases implements Disposable {
  readonly #services: () => Services;
  readonly #incarnation: string;
  readonly #timer: NodeJS.Timeout;
  /** The renewals that are under way, by service. */
  readonly #renewals = new Map<ServiceName, Set<Promise<unknown>>>();
  #disposed = false;

  constructor(services: () => Services, incarnation: string) {
    this.#services = services;
    this.#incarnation = incarnation;
    this.#timer = setInterval(() => this.#renewAll(), RENEW_MS);
  }

  /** Renews through one copy until it has worked; rejects when that copy is lost. */
  async renewAt(copy: Copy): Promise<void> {
    await retry(
      () => this.#renew(copy),
      () => copy.relay.isConnected && !this.#disposed,
    );
  }

  /** Ends the lease at every service that can be asked, within a second: after renewals that are under way there, as one that came later would revive it. */
  async end(): Promise<void> {
    this[Symbol.dispose]();
    const deadline = Date.now() + END_MS;
    await Promise.allSettled(
      Object.values(this.#services()).map(async (service) => {
        await atMost(END_MS / 2, Promise.allSettled([...(this.#renewals.get(service.service) ?? [])]));
        const { leases } = service.pick(this.#incarnation);
        await leases.endLease({ incarnation: this.#incarnation }, { deadline });
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearInterval(this.#timer);
  }

  #renewAll(): void {
    for (const service of Object.values(this.#services())) {
      this.#renew(service.pick(this.#incarnation)).catch(() => {
        // The next turn, or the next connection, renews.
      });
    }
  }

  async #renew({ service, leases }: Copy): Promise<void> {
    const underWay = this.#renewals.get(service) ?? new Set();
    this.#renewals.set(service, underWay);
    const renewal = leases.renewLease({ incarnation: this.#incarnation }, { deadline: Date.now() + ASK_MS });
    underWay.add(renewal);
    try {
      await renewal;
    } finally {
      underWay.delete(renewal);
    }
  }
}
