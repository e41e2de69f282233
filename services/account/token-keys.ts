import { setTimeout as sleep } from "node:timers/promises";
import { unavailable } from "../../platform/errors.ts";
import type { KeyRing } from "../../platform/keys.ts";
import type { ServiceName } from "../../proto/method.ts";
import { REFRESH_TOKEN_BYTES, type RefreshTokenHead, readRefreshToken } from "./tokens/refresh-token.ts";

/** The keys that refresh tokens are signed with. */
export interface TokenKeys {
  /** The secret that signs. */
  readonly secret: Buffer;
  /**
   * What a presented token says; undefined when none of the keys made it for this service. A token that no known key made is judged only
   * by keys that were read after it came, or a token signed by another copy just after a rotation would be refused.
   */
  read(token: Uint8Array, service: ServiceName): Promise<RefreshTokenHead | undefined>;
}

/** The keys are read again at most this often, however much garbage comes; garbage waits. */
const RELOAD_INTERVAL_MS = 200;

/** The token keys of a ring. */
export function createTokenKeys(ring: KeyRing): TokenKeys {
  const secrets = (): readonly Buffer[] => ring.all.map(({ secret }) => secret);
  let lastReload = Number.NEGATIVE_INFINITY;
  let nextReload: Promise<void> | undefined;

  const reloadSoon = (): Promise<void> => {
    nextReload ??= (async () => {
      await sleep(Math.max(0, lastReload + RELOAD_INTERVAL_MS - performance.now()));
      // Who comes from here on may come after the files were read.
      nextReload = undefined;
      lastReload = performance.now();
      await ring.reload().catch((cause: unknown) => {
        throw unavailable("the keys cannot be read", "KEYS_UNREADABLE", cause);
      });
    })();
    return nextReload;
  };

  return {
    get secret(): Buffer {
      return ring.active.secret;
    },
    read: async (token, service) => {
      const head = readRefreshToken(token, secrets(), service);
      if (head !== undefined || token.length !== REFRESH_TOKEN_BYTES) {
        return head;
      }
      await reloadSoon();
      return readRefreshToken(token, secrets(), service);
    },
  };
}
