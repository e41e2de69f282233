import { memoryTokenStore, type TokenStore } from "../../../client/token-store.ts";
import type { ServiceName } from "../../../proto/method.ts";

/** A refresh token of one repeated byte. */
export function refreshToken(byte: number): Buffer {
  return Buffer.alloc(1024, byte);
}

/** An access token of one repeated byte. */
export function accessToken(byte: number): Buffer {
  return Buffer.alloc(32, byte);
}

/** A store in memory that holds a token of each given service. */
export async function storeWith(tokens: Partial<Record<ServiceName, Uint8Array>>): Promise<TokenStore> {
  const store = memoryTokenStore();
  for (const [service, token] of Object.entries(tokens)) {
    await store.save(service as ServiceName, token);
  }
  return store;
}
