import { createHmac, timingSafeEqual } from "node:crypto";
import { uuidBytes } from "../../../platform/ids.ts";
import type { Key } from "../../../platform/keys/key.ts";
import type { KeyRing } from "../../../platform/keys/ring.ts";
import type { ChatMessage } from "./message.ts";

type Digested = Pick<ChatMessage, "body" | "recipientId">;

/** Keyed digests of body and recipient: the ledger can tell a repeat from another message, and nobody can test a guess against it. */
export interface Digester {
  digest(message: Digested): { readonly digest: Buffer; readonly digestKid: string };
  /** Whether a message is the one that was digested. @throws Error when the key is gone. */
  matches(message: Digested, digest: Uint8Array, digestKid: string): Promise<boolean>;
}

/** A digester over the digest keys. */
export function createDigester(keys: KeyRing): Digester {
  return {
    digest: (message) => ({ digest: compute(keys.active, message), digestKid: keys.active.kid }),
    matches: async (message, digest, digestKid) => {
      const key = await keys.find(digestKid);
      if (key === undefined) {
        throw new Error(`no digest key ${digestKid}`);
      }
      const expected = compute(key, message);
      return expected.length === digest.length && timingSafeEqual(expected, digest);
    },
  };
}

function compute({ secret }: Key, { body, recipientId }: Digested): Buffer {
  // The recipient has a fixed length, so no two pairs give the same bytes.
  return createHmac("sha256", secret).update(body).update(uuidBytes(recipientId)).digest();
}
