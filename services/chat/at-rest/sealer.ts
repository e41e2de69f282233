import { randomBytes, randomInt } from "node:crypto";
import type { KeyRing } from "../../../platform/keys/ring.ts";
import { decipher, encipher, NONCE_BYTES } from "./aes-gcm.ts";
import { shiftBytes } from "./caesar.ts";

/** How a body waits in the database. */
export type Scheme = "caesar" | "aes-256-gcm";

/** A body as it waits in the database, with what opens it. */
export type Sealed =
  | { readonly scheme: "caesar"; readonly shift: number; readonly body: Buffer }
  | { readonly scheme: "aes-256-gcm"; readonly kid: string; readonly nonce: Buffer; readonly tag: Buffer; readonly body: Buffer };

/** Seals bodies by one scheme, and opens those of every scheme and of older keys. */
export interface Sealer {
  /** `id`: the message's; a body opens under its own id only, where the scheme can tell. */
  seal(id: string, body: Uint8Array): Sealed;
  /** @throws Error when the key is gone or the body was tampered with. */
  open(id: string, sealed: Sealed): Promise<Buffer>;
}

/** A sealer over the at-rest keys. */
export function createSealer(scheme: Scheme, keys: KeyRing): Sealer {
  return {
    seal: (id, body) => (scheme === "caesar" ? sealByCaesar(body) : sealByAes(keys, id, body)),
    open: async (id, sealed) => {
      if (sealed.scheme === "caesar") {
        return shiftBytes(sealed.body, 256 - sealed.shift);
      }
      const key = await keys.find(sealed.kid);
      if (key === undefined) {
        throw new Error(`no at-rest key ${sealed.kid}`);
      }
      return decipher(key.secret, sealed.nonce, id, sealed.body, sealed.tag);
    },
  };
}

function sealByCaesar(body: Uint8Array): Sealed {
  const shift = randomInt(1, 256);
  return { scheme: "caesar", shift, body: shiftBytes(body, shift) };
}

function sealByAes({ active }: KeyRing, id: string, body: Uint8Array): Sealed {
  const nonce = randomBytes(NONCE_BYTES);
  return { scheme: "aes-256-gcm", kid: active.kid, nonce, ...encipher(active.secret, nonce, id, body) };
}
