import { newUuid } from "../../../platform/ids.ts";
import { asking, type Collection, type Db, type Document } from "../../../platform/mongo.ts";
import type { ServiceName } from "../../../proto/method.ts";
import { PURGE_AFTER_MS, type RevocationReason, type SessionDocument, sessionsSchema } from "./schema.ts";
import { beforeDeadline } from "./time.ts";

/** The end of sessions. That a session has ended is written in the session itself, so that its truth and the log of all ends are one. */
export interface Revocations {
  /** Ends a session of an account. `ended`: now or before; `tooLate`: the deadline has passed; `unknown`: the account has no such session. */
  end(sessionId: string, accountId: string, deadline: number): Promise<"ended" | "tooLate" | "unknown">;
  /** Ends a session one of whose families, at the version that was judged, showed a theft. False: it must be judged again. */
  endStolen(sessionId: string, service: ServiceName, version: number, deadline: number): Promise<boolean>;
  /** Ends the sessions of an account, all but one. Answers which. */
  endOthers(sessionId: string, accountId: string, deadline: number): Promise<readonly string[]>;
  /** The ids of the sessions that ended at `since` (milliseconds since the epoch) or later, and some that ended a little before. */
  listSince(since: number): Promise<readonly string[]>;
  /** The database's clock, in milliseconds since the epoch. */
  now(): Promise<number>;
}

/**
 * So far back every look at the log goes again: an end may become visible later than others of the same time (an election takes up to 10 s),
 * and a presentation that was judged just before an end may reach its gateway after the news of it (up to its deadline of 5 s).
 */
export const OVERLAP_MS = 20_000;

/** The ends of sessions in a database. */
export function createRevocations(db: Db): Revocations {
  const sessions = db.collection<SessionDocument>(sessionsSchema.name);
  const live = { revokedAt: { $exists: false } };

  return {
    end: (sessionId, accountId, deadline) =>
      asking(async () => {
        const filter = { _id: sessionId, accountId, ...live, ...beforeDeadline(deadline) };
        const { matchedCount } = await sessions.updateOne(filter, ending("logout"));
        return matchedCount === 1 ? "ended" : whyNot(sessions, sessionId, accountId);
      }),
    endStolen: async (sessionId, service, version, deadline) => {
      const filter = { _id: sessionId, ...live, [`families.${service}.version`]: version, ...beforeDeadline(deadline) };
      return (await asking(() => sessions.updateOne(filter, ending("reuse")))).matchedCount === 1;
    },
    endOthers: (sessionId, accountId, deadline) =>
      asking(async () => {
        const revocation = newUuid();
        const others = { accountId, _id: { $ne: sessionId }, ...live, ...beforeDeadline(deadline) };
        await sessions.updateMany(others, ending("logout", revocation));
        return idsOf(await sessions.find({ revocation }, { projection: { _id: 1 } }).toArray());
      }),
    listSince: (since) =>
      asking(async () => {
        const ended = { revokedAt: { $gte: new Date(since - OVERLAP_MS) } };
        // What one server has is enough to close a socket: its news must not wait for the majority.
        const options = { projection: { _id: 1 }, sort: { revokedAt: 1 }, readConcern: { level: "local" } } as const;
        return idsOf(await sessions.find(ended, options).toArray());
      }),
    now: async () => {
      const hello = await asking(() => db.command({ hello: 1 }));
      return (hello["localTime"] as Date).getTime();
    },
  };
}

function ending(revokedFor: RevocationReason, revocation?: string): Document[] {
  const purgeAt = { $add: ["$$NOW", PURGE_AFTER_MS] };
  return [{ $set: { revokedAt: "$$NOW", revokedFor, purgeAt, ...(revocation ? { revocation } : {}) } }];
}

async function whyNot(
  sessions: Collection<SessionDocument>,
  sessionId: string,
  accountId: string,
): Promise<"ended" | "tooLate" | "unknown"> {
  const session = await sessions.findOne({ _id: sessionId, accountId }, { projection: { revokedAt: 1 } });
  return session === null ? "unknown" : session.revokedAt === undefined ? "tooLate" : "ended";
}

function idsOf(documents: readonly { readonly _id: string }[]): readonly string[] {
  return documents.map(({ _id }) => _id);
}
