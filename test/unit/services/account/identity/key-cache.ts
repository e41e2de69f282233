import { createLocalJWKSet, errors } from "jose";
import { SallyportError } from "../../../../../platform/errors.ts";
import { DocumentUnavailable } from "../../../../../services/account/identity/fetch-document.ts";
import { type KeyCacheSurroundings, ProviderKeys } from "../../../../../services/account/identity/provider-keys.ts";
import type { ProviderKey } from "./fake-provider.ts";

/** A cache over a provider whose answers and whose time a test decides. */
export interface KeyCache {
  readonly keys: ProviderKeys;
  /** How often the provider was asked. */
  fetches(): number;
  /** How often that came to nothing. */
  failures(): number;
  publish(...keys: readonly ProviderKey[]): void;
  goDown(): void;
  /** From here on fetches wait for `release`. */
  hold(): void;
  release(): Promise<void>;
  /** Puts the clock forward and wakes who waited for that. */
  passTime(ms: number): Promise<void>;
}

export const LIFETIME_MS = 600_000;

export function openCache(...published: readonly ProviderKey[]): KeyCache {
  let [keys, isDown, fetches, failures, now] = [published, false, 0, 0, 1_000];
  let held: Promise<void> | undefined;
  let letGo = (): void => undefined;
  const sleepers: { readonly until: number; readonly wake: () => void }[] = [];

  const surroundings: KeyCacheSurroundings = {
    now: () => now,
    sleep: (ms) => (ms === 0 ? Promise.resolve() : new Promise((wake) => void sleepers.push({ until: now + ms, wake }))),
    failed: () => {
      failures += 1;
    },
  };
  const source = async (): ReturnType<ConstructorParameters<typeof ProviderKeys>[0]> => {
    fetches += 1;
    const answer = { isDown, set: createLocalJWKSet({ keys: keys.map(({ jwk }) => jwk) }) };
    await held;
    if (answer.isDown) {
      throw new DocumentUnavailable("unreachable");
    }
    return { keys: answer.set, lifetimeMs: LIFETIME_MS };
  };
  return {
    keys: new ProviderKeys(source, surroundings),
    fetches: () => fetches,
    failures: () => failures,
    publish: (...next) => {
      [keys, isDown] = [next, false];
    },
    goDown: () => {
      isDown = true;
    },
    hold: () => {
      held = new Promise((resolve) => {
        letGo = resolve;
      });
    },
    release: () => {
      held = undefined;
      letGo();
      return settle();
    },
    passTime: async (ms) => {
      now += ms;
      for (const sleeper of sleepers.filter(({ until }) => until <= now)) {
        sleepers.splice(sleepers.indexOf(sleeper), 1);
        sleeper.wake();
        // Timers that are due together still wake one after the other.
        await settle();
      }
      await settle();
    },
  };
}

/** What asking for a key comes to: "found", "unknown" or "unavailable". */
export async function ask({ keys }: KeyCache, { kid, alg }: Pick<ProviderKey, "kid" | "alg">): Promise<string> {
  try {
    await keys.find({ alg, kid }, { payload: "", signature: "" });
    return "found";
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) {
      return "unknown";
    }
    return error instanceof SallyportError && error.reason === "PROVIDER_UNAVAILABLE" ? "unavailable" : String(error);
  }
}

/** Lets everything happen that needs no time to pass. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a promise has come to so far. */
export async function soFar(promise: Promise<string>): Promise<string> {
  await settle();
  return Promise.race([promise, Promise.resolve("waiting")]);
}
