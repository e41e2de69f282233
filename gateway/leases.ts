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
  #disposed = false;

  constructor(services: () => Services, incarnation: string) {
    this.#services = services;
    this.#incarnation = incarnation;
    this.#timer = setInterval(() => this.#renewAll(), RENEW_MS);
  }

  /** Renews through one copy until it has worked; rejects when that copy is lost. */
  async renewAt({ relay, leases }: Copy): Promise<void> {
    const renew = () => leases.renewLease({ incarnation: this.#incarnation }, { deadline: Date.now() + ASK_MS });
    await retry(renew, () => relay.isConnected && !this.#disposed);
  }

  /** Ends the lease at every service that can be asked, within a second. */
  async end(): Promise<void> {
    this[Symbol.dispose]();
    const copies = Object.values(this.#services()).map((service) => service.pick(this.#incarnation));
    await Promise.allSettled(
      copies.map(({ leases }) => leases.endLease({ incarnation: this.#incarnation }, { deadline: Date.now() + END_MS })),
    );
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    clearInterval(this.#timer);
  }

  #renewAll(): void {
    for (const service of Object.values(this.#services())) {
      const { leases } = service.pick(this.#incarnation);
      leases.renewLease({ incarnation: this.#incarnation }, { deadline: Date.now() + ASK_MS }).catch(() => {
        // The next turn, or the next connection, renews.
      });
    }
  }
}
