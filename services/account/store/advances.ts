import { MongoBulkWriteError, MongoServerError, type WriteError } from "mongodb";
import type { Collection, Document } from "../../../platform/mongo.ts";
import type { ServiceName } from "../../../proto/method.ts";
import type { Family } from "../tokens/family.ts";
import { PURGE_AFTER_MS, type SessionDocument } from "./schema.ts";
import { databaseNow, isBeforeDeadline, type TimeShift } from "./time.ts";

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

const CONVERSION_FAILURE = 241;
/** Fails with a conversion failure: no id of a session is an ObjectId. */
const REFUSAL = { $toObjectId: "$_id" };

/**
 * Writes what became of families in one write, of each as if it came alone, one after the other. Answers of each whether it was written: not when
 * the session has ended, another judgement came first, or the deadline has passed. An error is that of its own change.
 */
export async function commitAdvances(
  sessions: Collection<SessionDocument>,
  changes: readonly Advance[],
  shift: TimeShift,
): Promise<readonly (boolean | Error)[]> {
  const now = databaseNow(shift);
  const updates = changes.map((change) => ({ updateOne: { filter: { _id: change.sessionId }, update: advancement(change, now) } }));
  const { matched, failures } = await write(sessions, updates);
  const isEachKnown = matched + failures.size === changes.length;
  const gone = isEachKnown ? NONE : await findGone(sessions, changes);
  return changes.map(({ sessionId }, index) => failures.get(index) ?? !gone.has(sessionId));
}

const NONE: ReadonlySet<string> = new Set();

/**
 * The database counts the updates that matched and names those that failed, so an update that may not be is one that fails. When the driver
 * repeats the write, what was written the first time is not written again and counts as matched, and the rest is tried anew.
 */
function advancement({ service, version, family, retires, deadline }: Advance, now: Document): Document[] {
  const path = `families.${service}`;
  const { usedAt } = family;
  const purgeAt = new Date(usedAt.getTime() + PURGE_AFTER_MS);
  const isLive = { $eq: [{ $type: "$revokedAt" }, "missing"] };
  const mayBe = { $and: [isLive, { $eq: [`$${path}.version`, version] }, isBeforeDeadline(deadline)] };
  const written = { $cond: [mayBe, { $literal: family }, REFUSAL] };
  const writing: Document = { $set: { [path]: written, lastSeenAt: usedAt, purgeAt } };
  if (retires === undefined) {
    return [writing];
  }
  // The predecessor retires when this is written, which may be seconds after it was judged: its grace runs from here.
  const at = { $cond: [{ $eq: ["$$this.generation", retires] }, now, "$$this.at"] };
  const retired = { $map: { input: `$${path}.retired`, in: { generation: "$$this.generation", at } } };
  return [writing, { $set: { [`${path}.retired`]: retired } }];
}

/** What came of a write of several updates: how many matched, and what failed, by its place; `false` is a refusal. */
interface Written {
  readonly matched: number;
  readonly failures: ReadonlyMap<number, false | Error>;
}

async function write(sessions: Collection<SessionDocument>, updates: Parameters<typeof sessions.bulkWrite>[0]): Promise<Written> {
  try {
    const { matchedCount } = await sessions.bulkWrite(updates, { ordered: false });
    return { matched: matchedCount, failures: new Map() };
  } catch (error) {
    // A time-out of the write concern, or of the connection, is everybody's.
    if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) {
      throw error;
    }
    const failed = [error.writeErrors].flat();
    if (failed.length === 0) {
      throw error;
    }
    return { matched: error.matchedCount, failures: new Map(failed.map((failure) => [failure.index, failureOf(failure)])) };
  }
}

function failureOf({ code, errmsg = "" }: WriteError): false | Error {
  return code === CONVERSION_FAILURE ? false : new MongoServerError({ message: errmsg, code });
}

/** Which sessions are no more: an id is given once. */
async function findGone(sessions: Collection<SessionDocument>, changes: readonly Advance[]): Promise<ReadonlySet<string>> {
  const ids = changes.map(({ sessionId }) => sessionId);
  const found = await sessions.find({ _id: { $in: ids } }, { projection: { _id: 1 }, batchSize: ids.length + 1 }).toArray();
  const known = new Set(found.map(({ _id }) => _id));
  return new Set(ids.filter((id) => !known.has(id)));
}
