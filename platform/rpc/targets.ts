import { lookup } from "node:dns/promises";
import { hostPort, resolvedTarget } from "../addresses.ts";

/** Where a copy of a service may be. */
export interface Target {
  /** What a channel connects to. */
  readonly address: string;
  /** The name that the address was resolved from, which is what the copy's certificate is for. */
  readonly name?: string;
}

/** What is done when the targets change. */
export interface TargetListener {
  appeared(target: Target): void;
  vanished(target: Target): void;
  /** The name cannot be resolved; said once until it can. What was known stays. */
  unresolved?(name: string, error: unknown): void;
}

/** The IP addresses of a name. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** What a test may choose. */
export interface TargetOverrides {
  readonly resolve?: Resolve;
  readonly everyMs?: number;
}

const RESOLVE_EVERY_MS = 2_000;

/**
 * Finds the copies of a service: a list is what it is; one `dns:///name:port` is resolved again and again, the way the machine resolves names
 * (`/etc/hosts` included), and each of its addresses is a target.
 */
export class TargetWatch implements Disposable {
  readonly #listener: TargetListener;
  readonly #resolve: Resolve;
  readonly #known = new Map<string, Target>();
  #timer: NodeJS.Timeout | undefined;
  #isResolving = false;
  #isFailing = false;
  #isDisposed = false;

  constructor(
    targets: readonly string[],
    listener: TargetListener,
    { resolve = lookUp, everyMs = RESOLVE_EVERY_MS }: TargetOverrides = {},
  ) {
    this.#listener = listener;
    this.#resolve = resolve;
    const named = resolvedTarget(targets);
    if (named === undefined) {
      this.#take(targets.map((address) => ({ address })));
    } else {
      this.#timer = setInterval(() => void this.#look(named), everyMs);
      void this.#look(named);
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearInterval(this.#timer);
  }

  async #look({ host: name, port }: { readonly host: string; readonly port: number }): Promise<void> {
    if (this.#isResolving) {
      return;
    }
    this.#isResolving = true;
    const found = await this.#find(name);
    this.#isResolving = false;
    if (!this.#isDisposed && found.length > 0) {
      this.#take(found.map((address) => ({ address: hostPort(address, port), name })));
    }
  }

  /** None: it could not be asked. A service without any copy is more likely a fault of its DNS, and counts as that. */
  async #find(name: string): Promise<readonly string[]> {
    try {
      const found = await this.#resolve(name);
      if (found.length === 0) {
        throw new Error("the name has no addresses");
      }
      this.#isFailing = false;
      return found;
    } catch (error) {
      if (!this.#isFailing && !this.#isDisposed) {
        this.#listener.unresolved?.(name, error);
      }
      this.#isFailing = true;
      return [];
    }
  }

  /** What is new comes first: what goes may find its place taken. */
  #take(targets: readonly Target[]): void {
    const wanted = new Map(targets.map((target) => [target.address, target]));
    for (const [address, target] of wanted) {
      if (!this.#known.has(address)) {
        this.#known.set(address, target);
        this.#listener.appeared(target);
      }
    }
    for (const [address, target] of this.#known) {
      if (!wanted.has(address)) {
        this.#known.delete(address);
        this.#listener.vanished(target);
      }
    }
  }
}

async function lookUp(name: string): Promise<readonly string[]> {
  const addresses = await lookup(name, { all: true });
  return addresses.map(({ address }) => address);
}
