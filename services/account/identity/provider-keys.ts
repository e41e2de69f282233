import { type CryptoKey, errors, type FlattenedJWSInput, type JWSHeaderParameters, type LocalJWKSet } from "jose";
import { SallyportError } from "../../../platform/errors.ts";
import { DocumentUnavailable, type FetchFault } from "./fetch-document.ts";
import type { KeySource } from "./key-source.ts";

/** Unknown keys make a provider be asked this often at most, and so does an outage of it. Who asks for an unknown key waits. In milliseconds. */
export const COOL_DOWN_MS = 5_000;
/** How long keys whose lifetime is over go on being used while their provider cannot be reached, in milliseconds. */
export const STALE_MS = 86_400_000;

/** What a key cache runs on. */
export interface KeyCacheSurroundings {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Keys could not be fetched. */
  readonly failed: (fault: FetchFault, cause: unknown) => void;
}

interface HeldKeys {
  readonly keys: LocalJWKSet;
  /** The fetch that brought them, counted from 1. */
  readonly fetch: number;
  readonly freshUntil: number;
}

/**
 * The keys of one provider, kept for their HTTP lifetime. A key that is not among them is asked for: that nobody has it is said only after a fetch
 * that began after the question, and all questions share it.
 */
export class ProviderKeys {
  readonly #source: KeySource;
  readonly #surroundings: KeyCacheSurroundings;
  #held: HeldKeys | undefined;
  #fetches = 0;
  #fetching: Promise<HeldKeys> | undefined;
  #refetch: Promise<HeldKeys> | undefined;
  #refetchDueAt = Number.NEGATIVE_INFINITY;
  #failedUntil = Number.NEGATIVE_INFINITY;

  constructor(source: KeySource, surroundings: KeyCacheSurroundings) {
    this.#source = source;
    this.#surroundings = surroundings;
  }

  /** The key that a token's header names. @throws JWKSNoMatchingKey; SallyportError UNAVAILABLE when the keys cannot be had. */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const fetchesBefore = this.#fetches;
    let held = await this.#usable();
    for (;;) {
      try {
        return await held.keys(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || held.fetch > fetchesBefore) {
          throw error;
        }
      }
      held = await (this.#fetching ?? this.#refetchSoon());
    }
  }

  async #usable(): Promise<HeldKeys> {
    const held = this.#held;
    const now = this.#surroundings.now();
    if (held !== undefined && now < held.freshUntil) {
      return held;
    }
    try {
      return await this.#fetch();
    } catch (error) {
      if (held !== undefined && now < held.freshUntil + STALE_MS) {
        return held;
      }
      throw error;
    }
  }

  /** A fetch that begins after this call, as soon as the last one of its kind is not too young. */
  #refetchSoon(): Promise<HeldKeys> {
    this.#refetch ??= this.#refetchWhenDue();
    return this.#refetch;
  }

  async #refetchWhenDue(): Promise<HeldKeys> {
    const { now, sleep } = this.#surroundings;
    await sleep(Math.max(0, this.#refetchDueAt - now()));
    // Who asks from here on may ask for what the provider publishes after this fetch.
    this.#refetch = undefined;
    this.#refetchDueAt = now() + COOL_DOWN_MS;
    return this.#fetch();
  }

  #fetch(): Promise<HeldKeys> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<HeldKeys> {
    const { now, failed } = this.#surroundings;
    if (now() < this.#failedUntil) {
      throw unreachable(this.#failedUntil - now());
    }
    this.#fetches += 1;
    const fetch = this.#fetches;
    const began = now();
    try {
      const { keys, lifetimeMs } = await this.#source();
      this.#held = { keys, fetch, freshUntil: began + lifetimeMs };
      return this.#held;
    } catch (error) {
      if (!(error instanceof DocumentUnavailable)) {
        throw error;
      }
      this.#failedUntil = now() + COOL_DOWN_MS;
      failed(error.fault, error.cause);
      throw unreachable(COOL_DOWN_MS);
    }
  }
}

function unreachable(retryAfterMs: number): SallyportError {
  const message = "the keys of the identity provider cannot be had at the moment";
  return new SallyportError("UNAVAILABLE", message, { reason: "PROVIDER_UNAVAILABLE", retryAfterMs: Math.ceil(retryAfterMs) });
}
