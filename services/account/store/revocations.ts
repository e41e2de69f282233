import { asking, type Collection, type Db, type Document } from "../../../platform/mongo.ts";
import type { ServiceName } from "../../../proto/method.ts";
import { PURGE_AFTER_MS, type RevocationReason, type SessionDocument, sessionsSchema } from "./schema.ts";
import { beforeDeadline, readDatabaseTime } from "./time.ts";

/** The end of sessions. That a session has ended is written in the session itself, so that its truth and the log of all ends are one. */
export interface Revocations {
  /** Ends a session of an account. `tooLate`: the deadline has passed; `unknown`: the account has no such session. */
  end(sessionId: string, ending: SessionsEnding): Promise<EndedSession | "tooLate" | "unknown">;
  /** Ends a session one of whose families, at the version that was judged, showed a theft. Undefined: it must be judged again. */
  endStolen(sessionId: string, service: ServiceName, version: number, deadline: number): Promise<EndedSession | undefined>;
  /**
   * Ends the sessions of an account, all but one where one is named. Answers which, and which ended for that reason in the last seconds:
   * whoever repeats what failed half-way learns of all.
   */
  endAll(ending: SessionsEnding, except?: string): Promise<readonly EndedSession[]>;
  /** The sessions that ended at `since` (milliseconds since the epoch) or later, and some that ended a little before: the first of them. */
  listSince(since: number): Promise<RevocationsPage>;
  /** Goes on with a list where a page of it ended. */
  listRest(rest: RevocationPlace): Promise<RevocationsPage>;
  /** The database's clock, in milliseconds since the epoch. */
  now(): Promise<number>;
}

/** The ids of sessions in the order in which they ended, at most 10,000, and where the list goes on. */
export interface RevocationsPage {
  readonly sessionIds: readonly string[];
  readonly rest: RevocationPlace | undefined;
}

/** Behind the end of a session, by its time (milliseconds since the epoch); the id tells those of one time apart. */
export interface RevocationPlace {
  readonly at: number;
  readonly sessionId: string;
}

/** Whose sessions are to end and why; not after the deadline (milliseconds since the epoch). */
export interface SessionsEnding {
  readonly accountId: string;
  readonly reason: RevocationReason;
  readonly deadline: number;
}

/** A session that has ended, now or before. */
export interface EndedSession {
  readonly sessionId: string;
  readonly at: Date;
  readonly reason: RevocationReason;
}

/**
 * So far back every look at the log goes again: an end may become visible later than others of the same time (an election takes up to 10 s),
 * and a presentation that was judged just before an end may reach its gateway after the news of it (up to its deadline of 5 s).
 */
export const OVERLAP_MS = 20_000;

/** Ends that are listed at a time. */
export const MAX_LISTED = 10_000;

/** The ends of sessions in a database. */
export function createRevocations(db: Db): Revocations {
  const sessions = db.collection<SessionDocument>(sessionsSchema.name);
  const live = { revokedAt: { $exists: false } };

  const endOne = async (filter: Document, reason: RevocationReason): Promise<EndedSession | undefined> => {
    const ended = await sessions.findOneAndUpdate(filter, ending(reason), { returnDocument: "after", projection: END });
    return endOf(ended);
  };

  return {
    end: (sessionId, { accountId, reason, deadline }) =>
      asking(async () => {
        const one = { _id: sessionId, accountId };
        const ended = await endOne({ ...one, ...live, ...beforeDeadline(deadline) }, reason);
        return ended ?? whyNot(await sessions.findOne(one, { projection: END }));
      }),
    endStolen: (sessionId, service, version, deadline) =>
      asking(() => endOne({ _id: sessionId, ...live, [`families.${service}.version`]: version, ...beforeDeadline(deadline) }, "reuse")),
    endAll: ({ accountId, reason, deadline }, except = "") =>
      asking(async () => {
        const those = { accountId, _id: { $ne: except } };
        await sessions.updateMany({ ...those, ...live, ...beforeDeadline(deadline) }, ending(reason));
        const ended = { revokedFor: reason, $expr: { $gte: ["$revokedAt", { $subtract: ["$$NOW", OVERLAP_MS] }] } };
        const found = await sessions.find({ ...those, $or: [live, ended] }, { projection: END }).toArray();
        // A change of many may pass documents by while the database moves a range to another shard (SERVER-20361).
        const ends = found.map(async (one) => endOf(one) ?? (await endOne({ _id: one._id, ...live, ...beforeDeadline(deadline) }, reason)));
        return (await Promise.all(ends)).filter((end) => end !== undefined);
      }),
    listSince: (since) => asking(() => listEnds(sessions, { revokedAt: { $gte: new Date(since - OVERLAP_MS) } })),
    listRest: ({ at, sessionId }) => {
      const [time, isBehind] = [new Date(at), { $gt: new Date(at) }];
      return asking(() => listEnds(sessions, { revokedAt: { $gte: time }, $or: [{ revokedAt: isBehind }, { _id: { $gt: sessionId } }] }));
    },
    now: async () => (await asking(() => readDatabaseTime(db))).getTime(),
  };
}

async function listEnds(sessions: Collection<SessionDocument>, which: Document): Promise<RevocationsPage> {
  // What one server has is enough to close a socket: its news must not wait for the majority.
  const options = {
    projection: { revokedAt: 1 },
    sort: { revokedAt: 1, _id: 1 },
    limit: MAX_LISTED,
    readConcern: { level: "local" },
  } as const;
  const ended = await sessions.find(which, options).toArray();
  const last = ended[MAX_LISTED - 1];
  return {
    sessionIds: ended.map(({ _id }) => _id),
    rest: last?.revokedAt && { at: last.revokedAt.getTime(), sessionId: last._id },
  };
}

/** What is read of a session that has ended. */
const END = { revokedAt: 1, revokedFor: 1 };

function ending(revokedFor: RevocationReason): Document[] {
  return [{ $set: { revokedAt: "$$NOW", revokedFor, purgeAt: { $add: ["$$NOW", PURGE_AFTER_MS] } } }];
}

function endOf(session: Pick<SessionDocument, "_id" | "revokedAt" | "revokedFor"> | null): EndedSession | undefined {
  const { _id: sessionId = "", revokedAt: at, revokedFor: reason } = session ?? {};
  return at && reason && { sessionId, at, reason };
}

function whyNot(session: Pick<SessionDocument, "_id" | "revokedAt" | "revokedFor"> | null): EndedSession | "tooLate" | "unknown" {
  return session === null ? "unknown" : (endOf(session) ?? "tooLate");
}
