import { leasesSchema } from "../../../platform/leases.ts";
import type { CollectionSchema } from "../../../platform/mongo.ts";
import type { Sealed } from "../at-rest/sealer.ts";

/** What became of a message: content-free, without account ids, kept for 7 days after its end. `_id`: the message. */
export interface SendDocument {
  _id: string;
  state: "pending" | "delivered" | "expired" | "deleted";
  acceptedAt: Date;
  /** The key that signs its receipt. */
  kid: string;
  /** HMAC over body and recipient: tells a repeat from another message under the same id. */
  digest: Buffer;
  digestKid: string;
  /** The write that changed it last: the batch that ended it, or a confirmation. */
  batch?: string;
  /** Only while pending. */
  expiresAt?: Date;
  deliveredAt?: Date;
  expiredAt?: Date;
  /** When its recipient was deleted. */
  deletedAt?: Date;
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
  /** The last end of a socket that had the events, under a random name: two ends are told apart by it. */
  left?: string;
}

/** A socket, the copy that delivers to it, and its epoch. */
export interface Holder {
  incarnation: string;
  connection: number;
  epoch: number;
  copy: string;
  /** The first epoch of the socket; left out where it is the same. */
  rank?: number;
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
  /** The nil UUID: the account that filed it was deleted. */
  reporterId: string;
  /** Tells reporters apart, also deleted ones: the reporter's id, or in its place a random one that names nobody. */
  reporterKey: string;
  reason: string;
  createdAt: Date;
  state: "open" | "resolved";
  /** With `note` and `resolvedAt` only when it is resolved. */
  resolution?: "accepted" | "rejected";
  note?: string;
  resolvedAt?: Date;
  /** The accounts on the other side of the reporter, each once. */
  reportedIds: string[];
  messageCount: number;
  messages: ReportedMessageDocument[];
}

/** A message of a report. Its accounts are the nil UUID where they are a deleted reporter. */
export interface ReportedMessageDocument {
  messageId: string;
  senderId: string;
  recipientId: string;
  sentAt: Date;
  /** It names its accounts, so it goes with the account that filed the report. */
  receipt?: string;
  /** The body goes with the account that filed the report and wrote it. */
  sealed?: Sealed;
}

/** How many reports an account may still file. `_id`: the account. */
export interface ReportBucketDocument {
  _id: string;
  /** When all its tokens are there again; then the document goes. */
  fullAt: Date;
  /** Of the last attempt: 0, or how long it was too early. */
  waitMs: number;
}

/** That an account was deleted. `_id`: the account. Kept for longer than any message waits. */
export interface ErasureDocument {
  _id: string;
  erasedAt: Date;
}

/** The index of whose messages an account refuses. */
export const OWNED_BLOCKS: { readonly ownerId: 1; readonly blockedId: 1 } = { ownerId: 1, blockedId: 1 };

/** What a list of reports shows: an index that ends in all of it is all that is read. */
const LISTED = { reporterId: 1, reason: 1, resolution: 1, messageCount: 1 } as const;
const ERASURE_SECONDS = 3_456_000;

/** The collections of the chat service with the indexes that its queries need. */
export const chatSchemas: readonly CollectionSchema[] = [
  // Each of the partial ones holds the messages of one state: what was delivered, most of all, is in none.
  {
    name: "sends",
    shardKey: "_id",
    indexes: [
      { key: { purgeAt: 1 }, expireAfterSeconds: 0 },
      { name: "pending", key: { expiresAt: 1 }, partialFilterExpression: { expiresAt: { $exists: true } } },
      { name: "expired", key: { expiredAt: 1 }, partialFilterExpression: { expiredAt: { $exists: true } } },
      { name: "deleted", key: { deletedAt: 1 }, partialFilterExpression: { deletedAt: { $exists: true } } },
    ],
  },
  // The second covers what the bounds of an inbox are measured by.
  {
    name: "inbox",
    shardKey: "recipientId",
    indexes: [{ key: { recipientId: 1, order: 1, _id: 1 } }, { key: { recipientId: 1, size: 1 } }, { key: { acceptedAt: 1 } }],
  },
  { name: "presence", shardKey: "_id", indexes: [] },
  { name: "blocks", shardKey: "ownerId", indexes: [{ key: OWNED_BLOCKS }, { key: { blockedId: 1 } }] },
  // No query for many of them reads the documents, which hold the bodies.
  {
    name: "reports",
    indexes: [
      { key: { createdAt: -1, _id: -1, state: 1, ...LISTED } },
      { key: { state: 1, createdAt: -1, _id: -1, ...LISTED } },
      { key: { reporterId: 1, resolution: 1, resolvedAt: -1 } },
      { key: { reportedIds: 1, reporterKey: 1 } },
    ],
  },
  { name: "reportBuckets", indexes: [{ key: { fullAt: 1 }, expireAfterSeconds: 0 }] },
  { name: "erasures", indexes: [{ key: { erasedAt: 1 }, expireAfterSeconds: ERASURE_SECONDS }] },
  leasesSchema,
];
