import { createHash } from "node:crypto";
import type { NonceForm } from "./settings.ts";

/** Whether the `nonce` claim of a token is the client's nonce, in the form that the provider has it in. */
export function isNonceOf(claim: string, nonce: string, form: NonceForm): boolean {
  switch (form) {
    case "plain":
      return claim === nonce;
    case "sha256": {
      const digest = createHash("sha256").update(nonce).digest();
      return claim === digest.toString("hex") || claim === digest.toString("base64url");
    }
  }
}
