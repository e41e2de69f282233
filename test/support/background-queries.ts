/** A query that a sharded cluster sends to every shard, and why it may. */
export interface BackgroundQuery {
  readonly collection: string;
  readonly shape: string;
  readonly why: string;
}

/** All queries of the account service that name no shard key: none of them belongs to a message, a call, a socket or an exchange. */
export const accountBackground: readonly BackgroundQuery[] = [
  { collection: "sessions", shape: "find {accountId, revokedAt: $exists, $expr}", why: "an owner lists sessions" },
  { collection: "sessions", shape: "aggregate {accountId, revokedAt: $exists, $expr}", why: "an operator looks an account up" },
  { collection: "sessions", shape: "update {accountId, _id: $ne, revokedAt: $exists, $expr}", why: "all sessions of an account end" },
  {
    collection: "sessions",
    shape: "find {accountId, _id: $ne, $or: [{revokedAt: $exists}, {revokedFor, $expr}]}",
    why: "all sessions of an account end",
  },
  { collection: "sessions", shape: "update {accountId, revokedAt: $exists}", why: "an account is deleted" },
  {
    collection: "sessions",
    shape: "find {revokedAt: $gte}",
    why: "the log of revocations, every 500 ms for each gateway: what it finds is in an index",
  },
  { collection: "sessions", shape: "find {revokedAt: $gte, $or: [{revokedAt: $gt}, {_id: $gt}]}", why: "the log of revocations goes on" },
  { collection: "sessions", shape: "find {}", why: "a start without a key asks whether there is any session" },
  {
    collection: "grants",
    shape: "find {$or: [{socket.incarnation, socket.connection}]}",
    why: "a socket of a gateway of the version before closed",
  },
  { collection: "grants", shape: "delete {accountId}", why: "an account is deleted" },
  { collection: "grants", shape: "distinct {}", why: "the sweep of gateways that are gone, every 10 minutes" },
  { collection: "grants", shape: "delete {socket.incarnation: $in, createdAt: $lt}", why: "the sweep of gateways that are gone" },
];

/** The same of the chat service. */
export const chatBackground: readonly BackgroundQuery[] = [
  { collection: "inbox", shape: "find {acceptedAt: $lt}", why: "the sweep of expired messages, every minute" },
  { collection: "sends", shape: "find {expiresAt: $lte}", why: "the sweep of expired messages, every minute" },
  { collection: "blocks", shape: "delete {$or: [{ownerId: $in}, {blockedId: $in}]}", why: "an account is deleted" },
  {
    collection: "inbox",
    shape: "delete {_id, acceptedAt: $lt}",
    why: "a body meets an older one under its id, which may wait for another recipient",
  },
  { collection: "inbox", shape: "find {_id: $in}", why: "the same, and the check of the ledger" },
  { collection: "inbox", shape: "find {}", why: "the check of the ledger, and a start without a record of keys" },
  {
    collection: "inbox",
    shape: "find {$or: [{recipientId: $gt}, {recipientId, order: $gt}, {recipientId, order, _id: $gt}]}",
    why: "the check of the ledger",
  },
  { collection: "sends", shape: "find {}", why: "a start without a record of keys" },
  { collection: "sends", shape: "find {expiresAt: $gte}", why: "the message that waits longest, every 30 s; and the count of the ledger" },
  { collection: "sends", shape: "find {expiredAt: $gte}", why: "the count of a large ledger, every 30 s" },
  { collection: "sends", shape: "find {deletedAt: $gte}", why: "the count of a large ledger, every 30 s" },
  { collection: "sends", shape: "find {expiresAt: $gte $lt, _id: $nin}", why: "the check of the ledger" },
  { collection: "sends", shape: "find {purgeAt: $exists, expiresAt: $exists, _id: $gt}", why: "the check of the ledger" },
  { collection: "sends", shape: "aggregate {expiresAt: $gte $lt}", why: "the count of the ledger, every 30 s" },
  { collection: "sends", shape: "aggregate {expiredAt: $gte $lt}", why: "the count of the ledger, every 30 s" },
  { collection: "sends", shape: "aggregate {deletedAt: $gte $lt}", why: "the count of the ledger, every 30 s" },
  { collection: "sends", shape: "count {}", why: "the count of the ledger, every 30 s: each shard knows its own" },
  { collection: "sends", shape: "aggregate {_id: $lt}", why: "the exact count of the ledger, in parts" },
  { collection: "sends", shape: "aggregate {_id: $gte}", why: "the exact count of the ledger, in parts" },
  { collection: "sends", shape: "aggregate {_id: $gte $lt}", why: "the exact count of the ledger, in parts" },
];
