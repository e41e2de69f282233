import type { Rpcs, Service } from "../../proto/method.ts";
import { unavailable } from "../errors.ts";
import { Channel } from "./channel.ts";
import { type Client, createClient } from "./client.ts";
import type { PeerRole } from "./peer.ts";
import { type Target, type TargetOverrides, TargetWatch } from "./targets.ts";
import type { InternalTls } from "./tls.ts";

/** The service that is asked, and where its copies are. */
export interface Asked<R extends Rpcs> {
  readonly service: Service<R>;
  /** What the copies' certificates are held to. */
  readonly role: PeerRole;
  readonly targets: readonly string[];
  readonly tls?: InternalTls | undefined;
  /** Copies that one question goes to at most, one after the other; by default all. */
  readonly mostAsked?: number;
}

interface KnownCopy<R extends Rpcs> {
  readonly channel: Channel;
  readonly client: Client<R>;
}

/** So long a copy may take to say that it serves in place of those that are no longer the service's. */
const LOOK_MS = 2_000;

/** Unary calls to a service that any of its copies can answer. */
export class AnyCopy<R extends Rpcs> implements Disposable {
  readonly #asked: Asked<R>;
  readonly #known = new Map<string, KnownCopy<R>>();
  /** Those whose addresses are no longer the service's: they are asked until another one serves. */
  readonly #unwanted = new Set<KnownCopy<R>>();
  readonly #watch: TargetWatch;
  #isLooking = false;
  /** Who answered last comes first, who failed last: one that hangs costs one question, not every one. */
  #order: readonly KnownCopy<R>[] = [];

  constructor(asked: Asked<R>, overrides?: TargetOverrides) {
    this.#asked = asked;
    const listener = {
      appeared: (target: Target) => this.#add(target),
      vanished: (target: Target) => this.#remove(target),
    };
    this.#watch = new TargetWatch(asked.targets, listener, overrides);
  }

  /** Asks one copy, and the next when that fails. Rejects with what the last one failed with; UNAVAILABLE when no copy is known. */
  async ask<T>(question: (client: Client<R>) => Promise<T>): Promise<T> {
    void this.#replaceUnwanted();
    let failure: unknown = unavailable("the service cannot be reached", "SERVICE_UNREACHABLE");
    for (const copy of this.#order.slice(0, this.#asked.mostAsked)) {
      try {
        const answer = await question(copy.client);
        this.#arrange((others) => [copy, ...others], copy);
        this.#serves(copy);
        return answer;
      } catch (error) {
        failure = error;
        this.#arrange((others) => [...others, copy], copy);
      }
    }
    throw failure;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    for (const { channel } of this.#known.values()) {
      channel[Symbol.dispose]();
    }
  }

  /** Puts a copy elsewhere among the others, unless it was let go meanwhile. */
  #arrange(arrange: (others: readonly KnownCopy<R>[]) => readonly KnownCopy<R>[], copy: KnownCopy<R>): void {
    if (this.#order.includes(copy)) {
      this.#order = arrange(this.#order.filter((other) => other !== copy));
    }
  }

  #add(target: Target): void {
    const { service, role, tls } = this.#asked;
    const known = this.#known.get(target.address);
    if (known !== undefined) {
      this.#unwanted.delete(known);
      return;
    }
    const channel = new Channel(target.address, tls?.to(role, target.name));
    const copy = { channel, client: createClient(service, channel) };
    this.#known.set(target.address, copy);
    this.#order = [...this.#order, copy];
  }

  #remove({ address }: Target): void {
    const copy = this.#known.get(address);
    if (copy !== undefined) {
      this.#unwanted.add(copy);
    }
  }

  /** Asks the others whether they serve: one that hangs holds up no question. */
  async #replaceUnwanted(): Promise<void> {
    if (this.#isLooking || this.#unwanted.size === 0) {
      return;
    }
    this.#isLooking = true;
    const others = [...this.#known.values()].filter((copy) => !this.#unwanted.has(copy));
    const looks = others.map(async (copy) => {
      if (await copy.channel.isServing("", Date.now() + LOOK_MS)) {
        this.#serves(copy);
      }
    });
    await Promise.allSettled(looks);
    this.#isLooking = false;
  }

  /** A copy serves: if its address is the service's, those go whose addresses are not. */
  #serves(copy: KnownCopy<R>): void {
    const unwanted = this.#unwanted.has(copy) ? [] : [...this.#known].filter(([, known]) => this.#unwanted.has(known));
    for (const [address, known] of unwanted) {
      this.#letGo(address, known);
    }
  }

  #letGo(address: string, copy: KnownCopy<R>): void {
    this.#known.delete(address);
    this.#unwanted.delete(copy);
    this.#arrange((others) => others, copy);
    void copy.channel.idle().then(() => copy.channel[Symbol.dispose]());
  }
}
