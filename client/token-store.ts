import type { ServiceName } from "../proto/method.ts";

/**
 * Where an app keeps the refresh tokens of one session. The promises of the library rest on it: whoever loses a new token after it was
 * confirmed must log in again, and whoever presents an old one is taken for a thief.
 */
export interface TokenStore {
  /** The newest refresh token of a service; undefined when there is none. */
  load(service: ServiceName): Promise<Uint8Array | undefined>;
  /** Resolves once the token would outlive a crash of the app and of the machine. */
  save(service: ServiceName, refreshToken: Uint8Array): Promise<void>;
  /**
   * Runs `work` while nobody else that shares the store (another tab, another process) runs theirs. Work that was not yet begun when the
   * signal aborts is not begun, and the promise rejects.
   */
  exclusive<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** A store that lives as long as the process: for tests, and for apps that log in at each start. */
export function memoryTokenStore(): TokenStore {
  const tokens = new Map<ServiceName, Uint8Array>();
  let turn: Promise<unknown> = Promise.resolve();
  return {
    load: async (service) => tokens.get(service),
    save: async (service, refreshToken) => {
      tokens.set(service, refreshToken.slice());
    },
    exclusive: (work, signal) => {
      const mine = turn.then(() => {
        signal?.throwIfAborted();
        return work();
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
  };
}
