import type { Db, Document } from "../../../platform/mongo.ts";

/** How far the time that tokens are judged by is ahead of the clock of the database, in milliseconds. 0, except in tests. */
export type TimeShift = () => number;

/** The present by the clock of the database, as an expression of it. */
export function databaseNow(shift: TimeShift): Document {
  return { $add: ["$$NOW", shift()] };
}

/** The present by the clock of the database, asked of it. */
export async function readDatabaseTime(db: Db): Promise<Date> {
  const hello = await db.command({ hello: 1 });
  return hello["localTime"] as Date;
}

/** Matches only before the deadline, by the clock of the database: a process that was paused acts on no old truth when it wakes. */
export function beforeDeadline(deadline: number): Document {
  return { $expr: isBeforeDeadline(deadline) };
}

/** The same as an expression. */
export function isBeforeDeadline(deadline: number): Document {
  return { $lt: ["$$NOW", new Date(Math.min(deadline, LAST_DATE))] };
}

/** The last instant that a Date holds (ECMA-262, time values). */
const LAST_DATE = 8.64e15;
