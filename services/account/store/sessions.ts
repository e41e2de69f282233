import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db, type Document } from "../../../platform/mongo.ts";
import type { ServiceName } from "../../../proto/method.ts";
import { EXPIRY_MS, type Family } from "../tokens/family.ts";
import { type Confirmation, confirmation } from "./confirmation.ts";
import { PURGE_AFTER_MS, type SessionDocument, sessionsSchema } from "./schema.ts";
import { beforeDeadline, databaseNow, type TimeShift } from "./time.ts";

/** A session as it was at a moment of the database's clock. */
export interface SessionReading {
  readonly accountId: string;
  readonly createdAt: Date;
  readonly isLive: boolean;
  readonly families: SessionDocument["families"];
  /** The moment of the reading. */
  readonly readAt: Date;
  /** The moment that its tokens are judged by: the same, except in tests. */
  readonly now: Date;
}

/** A session as its owner sees it. */
export type ListedSession = Omit<SessionDocument, "families">;

/** A change of one family that was judged on a reading of it. */
export interface Advance {
  readonly sessionId: string;
  readonly service: ServiceName;
  /** The version that was judged. */
  readonly version: number;
  readonly family: Family;
  /** The generation that the change retires. */
  readonly retires: number | undefined;
  /** In milliseconds since the epoch. */
  readonly deadline: number;
}

/** The sessions and their families of refresh tokens. */
export interface Sessions {
  /** Durable when it resolves. */
  add(session: SessionDocument): Promise<void>;
  /** Takes back a session that nobody was told of. Repeating it is fine. */
  discard(sessionId: string): Promise<void>;
  find(sessionId: string): Promise<SessionReading | null>;
  /** Writes what became of a family. False: the session has ended, another judgement came first, or the deadline has passed. */
  advance(change: Advance): Promise<boolean>;
  /** Confirms a generation, together with whatever else is to be confirmed. Repeating it, or an older one, changes nothing. */
  confirm(confirmation: Confirmation): Promise<void>;
  /** The live sessions of an account, newest first. */
  list(accountId: string): Promise<readonly ListedSession[]>;
  /** How many those are. */
  count(accountId: string): Promise<number>;
  /** Removes what the ended sessions of an account say of a person, and soon the rest. Repeating it is fine. */
  erase(accountId: string): Promise<void>;
}

const MAX_LISTED = 1000;
/** An erased session stays in the log of revocations for longer than a gateway that was cut off keeps a socket, a day unless it is set. */
const ERASED_PURGE_MS = 2 * 86_400_000;

/** The sessions of a database. `graceMs` is how long a retirement is remembered. */
export function createSessions(db: Db, graceMs: number, shift: TimeShift): Sessions {
  const sessions = db.collection<SessionDocument>(sessionsSchema.name);
  const confirmations = new GroupCommit((items: readonly Confirmation[]) => commitConfirmations(sessions, items, graceMs, shift));

  return {
    add: async (session) => {
      await asking(() => sessions.insertOne(session));
    },
    discard: async (sessionId) => {
      await asking(() => sessions.deleteOne({ _id: sessionId }));
    },
    find: (sessionId) => asking(() => readSession(sessions, sessionId, shift)),
    advance: async (change) => {
      const { sessionId, service, version, deadline } = change;
      const judged = { _id: sessionId, revokedAt: { $exists: false }, [`families.${service}.version`]: version };
      const filter = { ...judged, ...beforeDeadline(deadline) };
      return (await asking(() => sessions.updateOne(filter, advancement(change, databaseNow(shift))))).matchedCount === 1;
    },
    confirm: (item) => confirmations.add(item),
    list: (accountId) =>
      asking(() => {
        const options = { projection: { families: 0 }, sort: { createdAt: -1 }, limit: MAX_LISTED } as const;
        return sessions.find(liveOf(accountId, shift), options).toArray();
      }),
    count: (accountId) => asking(() => sessions.countDocuments(liveOf(accountId, shift))),
    erase: async (accountId) => {
      const purgeAt = { $min: ["$purgeAt", { $add: ["$revokedAt", ERASED_PURGE_MS] }] };
      const ended = { accountId, revokedAt: { $exists: true } };
      await asking(() => sessions.updateMany(ended, [{ $set: { purgeAt } }, { $unset: "client" }]));
    },
  };
}

function liveOf(accountId: string, shift: TimeShift): Document {
  const since = { $subtract: [databaseNow(shift), EXPIRY_MS] };
  return { accountId, revokedAt: { $exists: false }, $expr: { $gt: ["$lastSeenAt", since] } };
}

async function readSession(sessions: Collection<SessionDocument>, sessionId: string, shift: TimeShift): Promise<SessionReading | null> {
  type Read = Pick<SessionDocument, "accountId" | "createdAt" | "revokedAt" | "families"> & { readonly readAt: Date };
  const projection = { accountId: 1, createdAt: 1, revokedAt: 1, families: 1, readAt: "$$NOW" };
  const found = await sessions.findOne<Read>({ _id: sessionId }, { projection });
  if (found === null) {
    return null;
  }
  const { revokedAt, ...read } = found;
  return { ...read, isLive: revokedAt === undefined, now: new Date(read.readAt.getTime() + shift()) };
}

function advancement({ service, family, retires }: Advance, now: Document): Document[] {
  const path = `families.${service}`;
  const { usedAt } = family;
  const purgeAt = new Date(usedAt.getTime() + PURGE_AFTER_MS);
  const write: Document = { $set: { [path]: { $literal: family }, lastSeenAt: usedAt, purgeAt } };
  if (retires === undefined) {
    return [write];
  }
  // The predecessor retires when this is written, which may be seconds after it was judged: its grace runs from here.
  const at = { $cond: [{ $eq: ["$$this.generation", retires] }, now, "$$this.at"] };
  const retired = { $map: { input: `$${path}.retired`, in: { generation: "$$this.generation", at } } };
  return [write, { $set: { [`${path}.retired`]: retired } }];
}

async function commitConfirmations(
  sessions: Collection<SessionDocument>,
  items: readonly Confirmation[],
  graceMs: number,
  shift: TimeShift,
): Promise<readonly undefined[]> {
  const now = databaseNow(shift);
  await asking(() =>
    sessions.bulkWrite(
      items.map((item) => ({ updateOne: confirmation(item, now, graceMs) })),
      { ordered: false },
    ),
  );
  return items.map(() => undefined);
}
