import type { KeyRing } from "../../../platform/keys/ring.ts";
import { acceptedAtOf, orderAt } from "../delivery/hybrid-clock.ts";
import type { Accepted, ChatMessage } from "../delivery/message.ts";
import { claimsOf, type ReceiptClaims } from "./claims.ts";
import { signReceipt } from "./sign.ts";
import { verifyReceipt } from "./verify.ts";

type Unsigned = Omit<ChatMessage, "receipt" | "receiptKid">;

/** Makes receipts, makes them again to the letter, and tells ours from forgeries. */
export interface Receipts {
  /** By the key that signs. */
  sign(message: Unsigned): ChatMessage;
  /** By the key that signed it before. @throws Error when that key is gone. */
  signAgain(message: Unsigned, receiptKid: string): Promise<ChatMessage>;
  /** The receipt of a message as it was accepted. */
  receiptOf(message: ChatMessage, accepted: Accepted): Promise<string>;
  /** What a receipt says; undefined when none of our keys made it. */
  verify(receipt: string): Promise<ReceiptClaims | undefined>;
}

/** Receipts over the receipt keys. */
export function createReceipts(keys: KeyRing): Receipts {
  const signAgain: Receipts["signAgain"] = async (message, receiptKid) => {
    const key = await keys.find(receiptKid);
    if (key === undefined) {
      throw new Error(`no receipt key ${receiptKid}`);
    }
    return { ...message, receiptKid, receipt: signReceipt(key, claimsOf(message)) };
  };
  return {
    sign: (message) => ({ ...message, receiptKid: keys.active.kid, receipt: signReceipt(keys.active, claimsOf(message)) }),
    signAgain,
    receiptOf: async (message, { acceptedAt, receiptKid }) => {
      const isAsSigned = receiptKid === message.receiptKid && acceptedAt === acceptedAtOf(message.order);
      return isAsSigned ? message.receipt : (await signAgain({ ...message, order: orderAt(acceptedAt) }, receiptKid)).receipt;
    },
    verify: (receipt) => verifyReceipt(keys, receipt),
  };
}
