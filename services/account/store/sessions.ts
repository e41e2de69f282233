import { GroupCommit } from "../../../platform/group-commit.ts";
import { asking, type Collection, type Db, type Document } from "../../../platform/mongo.ts";
import { EXPIRY_MS } from "../tokens/family.ts";
import { type Advance, commitAdvances } from "./advances.ts";
import { type Confirmation, confirmation } from "./confirmation.ts";
import { type SessionDocument, sessionsSchema } from "./schema.ts";
import { databaseNow, type TimeShift } from "./time.ts";

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

/** The sessions and their families of refresh tokens. */
export interface Sessions {
  /** Durable when it resolves. */
  add(session: SessionDocument): Promise<void>;
  /** Takes back a session that nobody was told of. Repeating it is fine. */
  discard(sessionId: string): Promise<void>;
  /** As it is read after the asking: a reading that is under way answers nobody who asks meanwhile. */
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
  const readings = new GroupCommit((sessionIds: readonly string[]) => commitReadings(sessions, sessionIds, shift));
  const advances = new GroupCommit((changes: readonly Advance[]) => asking(() => commitAdvances(sessions, changes, shift)));
  const confirmations = new GroupCommit((items: readonly Confirmation[]) => commitConfirmations(sessions, items, graceMs, shift));

  return {
    add: async (session) => {
      await asking(() => sessions.insertOne(session));
    },
    discard: async (sessionId) => {
      await asking(() => sessions.deleteOne({ _id: sessionId }));
    },
    find: (sessionId) => readings.add(sessionId),
    advance: (change) =>
      asking(async () => {
        const written = await advances.add(change);
        if (written instanceof Error) {
          throw written;
        }
        return written;
      }),
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

/** One document answers all who ask for it. */
async function commitReadings(
  sessions: Collection<SessionDocument>,
  sessionIds: readonly string[],
  shift: TimeShift,
): Promise<readonly (SessionReading | null)[]> {
  const projection = { accountId: 1, createdAt: 1, revokedAt: 1, families: 1, readAt: "$$NOW" };
  const asked = { _id: { $in: [...new Set(sessionIds)] } };
  const found = await asking(() => sessions.find<Read>(asked, { projection, batchSize: sessionIds.length + 1 }).toArray());
  const readings = new Map(found.map((read) => [read._id, readingOf(read, shift)]));
  return sessionIds.map((sessionId) => readings.get(sessionId) ?? null);
}

type Read = Pick<SessionDocument, "_id" | "accountId" | "createdAt" | "revokedAt" | "families"> & { readonly readAt: Date };

function readingOf({ accountId, createdAt, revokedAt, families, readAt }: Read, shift: TimeShift): SessionReading {
  return { accountId, createdAt, isLive: revokedAt === undefined, families, readAt, now: new Date(readAt.getTime() + shift()) };
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
