import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../platform/clock.ts";
import type { Running } from "../../platform/lifecycle.ts";
import type { Part } from "../process/part.ts";
import { countFailures, restartDelayMs } from "./backoff.ts";

/** How a part of the stack is started, and what happens when it dies. */
export interface Keeping {
  readonly name: string;
  readonly start: (stop: AbortSignal) => Promise<Part>;
  /** Whether it is restarted; if not, its death is a failure of the whole. */
  readonly supervise: boolean;
  readonly warn: (line: string) => void;
  readonly random?: () => number;
  readonly now?: Clock;
  readonly wait?: (delayMs: number, stop: AbortSignal) => Promise<void>;
}

/** Starts a part of the stack and, under supervision, restarts it whenever it ends. Rejects when the first start fails. */
export async function keepRunning(keeping: Keeping, stop: AbortSignal): Promise<Running> {
  stop.throwIfAborted();
  return new Keeper(keeping, await keeping.start(stop));
}

class Keeper implements Running {
  readonly address: string;
  readonly failed: Promise<never>;
  readonly #keeping: Required<Keeping>;
  readonly #stopping = new AbortController();
  #current: Promise<Part | undefined>;

  constructor(keeping: Keeping, first: Part) {
    const wait = (delayMs: number, stop: AbortSignal): Promise<void> => sleep(delayMs, undefined, { signal: stop });
    this.#keeping = { random: Math.random, now: Date.now, wait, ...keeping };
    this.address = first.address;
    this.#current = Promise.resolve(first);
    this.failed = this.#watch(first);
    this.failed.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    const part = await this.#current;
    await part?.[Symbol.asyncDispose]();
  }

  async #watch(first: Part): Promise<never> {
    const { name, now, supervise } = this.#keeping;
    let part = first;
    for (let failures = 0; ; ) {
      const startedAt = now();
      const { how } = await part.ended;
      if (this.#stopping.signal.aborted) {
        return forever();
      }
      if (!supervise) {
        throw new Error(`${name} ended unexpectedly (${how}): everything is stopped`);
      }
      failures = countFailures(failures, now() - startedAt);
      const restarted = this.#restart(how, failures);
      this.#current = restarted.then(
        (next) => next?.part,
        () => undefined,
      );
      const next = await restarted;
      if (next === undefined) {
        return forever();
      }
      ({ part, failures } = next);
    }
  }

  /** Tries until a start succeeds. Undefined when the stack stops meanwhile. */
  async #restart(how: string, failures: number): Promise<{ readonly part: Part; readonly failures: number } | undefined> {
    const { name, random, start, wait, warn } = this.#keeping;
    const stop = this.#stopping.signal;
    for (let reason = how, count = failures; ; count += 1) {
      const delayMs = restartDelayMs(count, random());
      warn(`sallyport: ${name} ended (${reason}): restart ${count} in ${delayMs} ms`);
      try {
        await wait(delayMs, stop);
        return { part: await start(stop), failures: count };
      } catch (error) {
        if (stop.aborted) {
          return undefined;
        }
        reason = error instanceof Error ? error.message : String(error);
      }
    }
  }
}

function forever(): Promise<never> {
  return new Promise(() => undefined);
}
