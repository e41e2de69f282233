import { leasesSchema } from "../../../platform/leases.ts";
import type { CollectionSchema } from "../../../platform/mongo.ts";
import type { SecurityEventType } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { ServiceName } from "../../../proto/method.ts";
import type { Grant } from "../tokens/access-token.ts";
import type { Family } from "../tokens/family.ts";

/** Somebody who can log in, or who could: what is left of a deleted account keeps its id from being given again. */
export interface AccountDocument {
  readonly _id: string;
  readonly devName?: string;
  /** Left out rather than empty, or the unique index would take two accounts without any for the same. */
  readonly identities?: readonly Identity[];
  readonly createdAt: Date;
  readonly lockedAt?: Date;
  readonly deletedAt?: Date;
  /** What a lock or a deletion has still to do: written with it, gone when all is done. */
  readonly followUp?: FollowUp;
}

/** Who somebody is to an OpenID Connect provider. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** Work on an account that outlives the process which began it. */
export interface FollowUp {
  /** When it is to be looked at, by the clock of the database. Whoever takes it up moves this first. */
  readonly dueAt: Date;
  /** How many times it went well. */
  readonly rounds: number;
}

/** A login, with the refresh tokens of all its services. */
export interface SessionDocument {
  readonly _id: string;
  readonly accountId: string;
  readonly createdAt: Date;
  /** When a token of it was last exchanged. */
  readonly lastSeenAt: Date;
  readonly client?: { readonly platform: string; readonly version: string };
  readonly families: { readonly [S in ServiceName]: Family };
  /** When it ended, by the clock of the database: the log of revocations is in the order of this. */
  readonly revokedAt?: Date;
  readonly revokedFor?: RevocationReason;
  /** When the document may go: its tokens are expired or revoked by then. */
  readonly purgeAt: Date;
}

/** Why a session ended. */
export type RevocationReason = "logout" | "reuse" | "operator" | "lock" | "deletion";

/** An access token by its SHA-256 in hexadecimal. */
export interface GrantDocument extends Grant {
  readonly _id: string;
  readonly createdAt: Date;
  readonly purgeAt: Date;
}

/** What was decided about the security of an account. */
export interface SecurityEventDocument {
  /** Of what happens to a session or an account once, made from that: writing it again changes nothing. */
  readonly _id: string;
  readonly accountId: string;
  readonly type: SecurityEventType;
  /** When it was decided, by the clock of the database. */
  readonly occurredAt: Date;
  /** Left out: it was about the whole account. */
  readonly sessionId?: string;
  /** The client's, in canonical form. Left out: an operator's doing. */
  readonly address?: string;
}

/** How long security events are kept. */
export const EVENTS_KEPT_MS: number = 90 * 86_400_000;

/** How long a session's document outlives its last exchange or its end: longer than a token lives unused. */
export const PURGE_AFTER_MS: number = 100 * 86_400_000;

/** One document for each account; a dev name names one account, and so does an identity: only one shard can see to that. */
export const accountsSchema: CollectionSchema = {
  name: "accounts",
  indexes: [
    { key: { devName: 1 }, unique: true, partialFilterExpression: { devName: { $exists: true } } },
    {
      key: { "identities.issuer": 1, "identities.subject": 1 },
      unique: true,
      partialFilterExpression: { identities: { $exists: true } },
    },
    { key: { "followUp.dueAt": 1 }, partialFilterExpression: { "followUp.dueAt": { $exists: true } } },
  ],
};

/** One document for each session, with the families of all its services. The indexes on its end are the log of revocations. */
export const sessionsSchema: CollectionSchema = {
  name: "sessions",
  shardKey: "_id",
  indexes: [
    { key: { accountId: 1, createdAt: -1 } },
    { key: { revokedAt: 1, _id: 1 }, partialFilterExpression: { revokedAt: { $exists: true } } },
    { key: { purgeAt: 1 }, expireAfterSeconds: 0 },
  ],
};

/** One document for each access token. Gateways of the version before end those of a socket by its place. */
export const grantsSchema: CollectionSchema = {
  name: "grants",
  shardKey: "_id",
  indexes: [
    { key: { "socket.incarnation": 1, "socket.connection": 1 } },
    { key: { accountId: 1 } },
    { key: { purgeAt: 1 }, expireAfterSeconds: 0 },
  ],
};

/** One document for each security event. */
export const securityEventsSchema: CollectionSchema = {
  name: "securityEvents",
  shardKey: "accountId",
  indexes: [
    { key: { accountId: 1, occurredAt: -1, type: -1, _id: -1 } },
    { key: { occurredAt: 1 }, expireAfterSeconds: EVENTS_KEPT_MS / 1000 },
  ],
};

/** Every collection of the account service. */
export const accountSchemas: readonly CollectionSchema[] = [
  accountsSchema,
  sessionsSchema,
  grantsSchema,
  securityEventsSchema,
  leasesSchema,
];
