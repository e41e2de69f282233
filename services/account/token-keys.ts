import type { KeyRing } from "../../platform/keys/ring.ts";
import type { ServiceName } from "../../proto/method.ts";
import { isOurAccessToken } from "./tokens/access-token.ts";
import { REFRESH_TOKEN_BYTES, type RefreshTokenHead, readRefreshToken } from "./tokens/refresh-token.ts";

/** The keys that tokens are signed with. */
export interface TokenKeys {
  /** The secret that signs. */
  readonly secret: Buffer;
  /**
   * What a presented token says; undefined when none of the keys made it for this service. A token that no known key made is judged only
   * by keys that were read after it came, or a token signed by another copy just after a rotation would be refused.
   */
  read(token: Uint8Array, service: ServiceName): Promise<RefreshTokenHead | undefined>;
  /** Whether one of the keys made an access token, judged as late as `read` judges. */
  made(accessToken: Uint8Array): Promise<boolean>;
}

/** The token keys of a ring. */
export function createTokenKeys(ring: KeyRing): TokenKeys {
  const secrets = (): readonly Buffer[] => ring.all.map(({ secret }) => secret);
  return {
    get secret(): Buffer {
      return ring.active.secret;
    },
    read: async (token, service) => {
      const head = readRefreshToken(token, secrets(), service);
      if (head !== undefined || token.length !== REFRESH_TOKEN_BYTES) {
        return head;
      }
      await ring.reloadSoon();
      return readRefreshToken(token, secrets(), service);
    },
    made: async (accessToken) => {
      if (isOurAccessToken(accessToken, secrets())) {
        return true;
      }
      await ring.reloadSoon();
      return isOurAccessToken(accessToken, secrets());
    },
  };
}
