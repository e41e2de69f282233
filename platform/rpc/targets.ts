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
  /** Several answers in a row have not named it. The same address may appear again. */
  vanished(target: Target): void;
  /** The name cannot be resolved, or what it led to cannot be used; said once until it can. What was known stays. */
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
/** An address is given up after so many answers in a row without it: some name servers tell a part of the addresses at a time, each time another. */
const MISSING_TIMES = 3;

/**
 * Finds the copies of a service: a list is what it is; one `dns:///name:port` is resolved again and again, the way the machine resolves names
 * (`/etc/hosts` included), and each of its addresses is a target.
 */
export class TargetWatch implements Disposable {
  readonly #listener: TargetListener;
  readonly #resolve: Resolve;
  readonly #known = new Map<string, { readonly target: Target; missing: number }>();
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
    try {
      const found = await this.#resolve(name);
      if (!this.#isDisposed) {
        this.#take(usable(found).map((address) => ({ address: hostPort(address, port), name })));
        this.#isFailing = false;
      }
    } catch (error) {
      this.#fail(name, error);
    } finally {
      this.#isResolving = false;
    }
  }

  #fail(name: string, error: unknown): void {
    if (!this.#isFailing && !this.#isDisposed) {
      this.#isFailing = true;
      this.#listener.unresolved?.(name, error);
    }
  }

  /** What is new comes first: what goes may find its place taken. */
  #take(targets: readonly Target[]): void {
    const wanted = new Map(targets.map((target) => [target.address, target]));
    for (const [address, target] of wanted) {
      if (!this.#known.has(address)) {
        this.#known.set(address, { target, missing: 0 });
        this.#listener.appeared(target);
      }
    }
    for (const [address, known] of this.#known) {
      known.missing = wanted.has(address) ? 0 : known.missing + 1;
      if (known.missing === MISSING_TIMES) {
        this.#known.delete(address);
        this.#listener.vanished(known.target);
      }
    }
  }
}

/** The addresses that can be connected to: none with a zone. @throws Error for none at all, which is more likely a fault of DNS than a service without copies. */
function usable(addresses: readonly string[]): readonly string[] {
  const found = addresses.filter((address) => !address.includes("%"));
  if (found.length === 0) {
    throw new Error("the name has no addresses");
  }
  return found;
}

async function lookUp(name: string): Promise<readonly string[]> {
  const addresses = await lookup(name, { all: true });
  return addresses.map(({ address }) => address);
}
