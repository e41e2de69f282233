import { leasesSchema } from "../../../platform/leases.ts";
import type { CollectionSchema } from "../../../platform/mongo.ts";
import type { ServiceName } from "../../../proto/method.ts";
import type { Grant } from "../tokens/access-token.ts";
import type { Family } from "../tokens/family.ts";

/** Somebody who can log in. */
export interface AccountDocument {
  readonly _id: string;
  readonly devName?: string;
  readonly createdAt: Date;
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
  /** Marks what one revocation ended. */
  readonly revocation?: string;
  /** When the document may go: its tokens are expired or revoked by then. */
  readonly purgeAt: Date;
}

/** Why a session ended. */
export type RevocationReason = "logout" | "reuse";

/** An access token by its SHA-256 in hexadecimal. */
export interface GrantDocument extends Grant {
  readonly _id: string;
  readonly createdAt: Date;
  readonly purgeAt: Date;
}

/** How long a session's document outlives its last exchange or its end: longer than a token lives unused. */
export const PURGE_AFTER_MS: number = 100 * 86_400_000;

/** One document for each account; a dev name names one account. */
export const accountsSchema: CollectionSchema = {
  name: "accounts",
  indexes: [{ key: { devName: 1 }, unique: true, partialFilterExpression: { devName: { $exists: true } } }],
};

/** One document for each session, with the families of all its services. The indexes on its end are the log of revocations. */
export const sessionsSchema: CollectionSchema = {
  name: "sessions",
  indexes: [
    { key: { accountId: 1, createdAt: -1 } },
    { key: { revocation: 1 }, partialFilterExpression: { revocation: { $exists: true } } },
    { key: { revokedAt: 1 }, partialFilterExpression: { revokedAt: { $exists: true } } },
    { key: { purgeAt: 1 }, expireAfterSeconds: 0 },
  ],
};

/** One document for each access token. */
export const grantsSchema: CollectionSchema = {
  name: "grants",
  indexes: [{ key: { "socket.incarnation": 1, "socket.connection": 1 } }, { key: { purgeAt: 1 }, expireAfterSeconds: 0 }],
};

/** Every collection of the account service. */
export const accountSchemas: readonly CollectionSchema[] = [accountsSchema, sessionsSchema, grantsSchema, leasesSchema];
