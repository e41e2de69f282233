import { leasesSchema } from "../../../platform/leases.ts";
import type { CollectionSchema } from "../../../platform/mongo.ts";
import type { Sealed } from "../at-rest/sealer.ts";

/** What became of a message: content-free, without account ids, kept for 7 days after its end. `_id`: the message. */
export interface SendDocument {
  _id: string;
  state: "pending" | "delivered" | "expired";
  acceptedAt: Date;
  /** The key that signs its receipt. */
  kid: string;
  /** HMAC over body and recipient: tells a repeat from another message under the same id. */
  digest: Buffer;
  digestKid: string;
  /** The batch of acknowledgements that ended it. */
  batch?: string;
  /** Only while pending. */
  expiresAt?: Date;
  deliveredAt?: Date;
  expiredAt?: Date;
  /** When it is forgotten. */
  purgeAt?: Date;
}

/** A body that waits for its recipient. `_id`: the message. */
export interface InboxDocument {
  _id: string;
  recipientId: string;
  senderId: string;
  clientMessageId: string;
  acceptedAt: Date;
  /** Its place in the inbox, by the hybrid clock. */
  order: number;
  /** Of the body, in bytes. */
  size: number;
  receiptKid: string;
  sealed: Sealed;
}

/** Which socket has an account's events. `_id`: the account. */
export interface PresenceDocument {
  _id: string;
  /** The last epoch that was given out. */
  epoch: number;
  current?: Holder;
}

/** A socket, the copy that delivers to it, and its epoch. */
export interface Holder {
  incarnation: string;
  connection: number;
  epoch: number;
  copy: string;
}

/** That an account refuses another one's messages. `_id`: "<owner>:<blocked>". */
export interface BlockDocument {
  _id: string;
  ownerId: string;
  blockedId: string;
}

/** A report and its evidence. `_id` is made from reporter and evidence. */
export interface ReportDocument {
  _id: string;
  reporterId: string;
  reason: string;
  createdAt: Date;
  state: "open" | "resolved";
  messages: {
    messageId: string;
    senderId: string;
    recipientId: string;
    sentAt: Date;
    receipt: string;
    sealed: Sealed;
  }[];
}

/** The collections of the chat service with the indexes that its queries need. */
export const chatSchemas: readonly CollectionSchema[] = [
  { name: "sends", indexes: [{ key: { purgeAt: 1 }, expireAfterSeconds: 0 }, { key: { expiresAt: 1 } }] },
  // The second covers what the bounds of an inbox are measured by.
  {
    name: "inbox",
    indexes: [{ key: { recipientId: 1, order: 1, _id: 1 } }, { key: { recipientId: 1, size: 1 } }, { key: { acceptedAt: 1 } }],
  },
  { name: "presence", indexes: [] },
  { name: "blocks", indexes: [{ key: { ownerId: 1, blockedId: 1 } }] },
  { name: "reports", indexes: [{ key: { state: 1, createdAt: -1 } }] },
  leasesSchema,
];
