import { newUuid } from "../../../platform/ids.ts";
import { asking, type Collection, type Db, type Document } from "../../../platform/mongo.ts";
import { insertNew } from "./insert-new.ts";
import type { ReportDocument } from "./schema.ts";

/** What a list shows of a report. */
export type ReportHeading = Pick<ReportDocument, "reporterId" | "reason" | "createdAt" | "state" | "messageCount"> & {
  readonly _id: string;
  readonly resolution?: ReportDocument["resolution"] | null;
};

/** A place in the list of reports, which is sorted by both, the newest first. */
export interface ReportPlace {
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly reportId: string;
}

/** What a moderator decided. */
export type Verdict = Required<Pick<ReportDocument, "resolution" | "note" | "resolvedAt">>;

/** How a report is resolved. */
export interface Resolved {
  readonly resolution: Verdict["resolution"];
  readonly isFirst: boolean;
}

/** In the place of an account that was deleted. */
export const NIL_UUID = "00000000-0000-0000-0000-000000000000";

const NEWEST_FIRST = { createdAt: -1, _id: -1 } as const;
/** No more than what the indexes of lists end in. */
const HEADING = { _id: 1, reporterId: 1, reason: 1, createdAt: 1, state: 1, resolution: 1, messageCount: 1 } as const;

/** What was reported, with its evidence. */
export class Reports {
  readonly #reports: Collection<ReportDocument>;

  constructor(db: Db) {
    this.#reports = db.collection<ReportDocument>("reports");
  }

  /** Files a report. Of one that is filed already nothing changes. */
  async file(report: ReportDocument): Promise<void> {
    await asking(() => insertNew(this.#reports, [report]));
  }

  /** Up to `limit` reports in a state, or in any, the newest first, after a place in the list. */
  async list(state: ReportDocument["state"] | undefined, after: ReportPlace | undefined, limit: number): Promise<readonly ReportHeading[]> {
    const inState = state === undefined ? {} : { state };
    if (after === undefined) {
      return this.#list(inState, limit);
    }
    // Two questions, since the one that asks for either reads documents.
    const at = new Date(after.createdAt);
    const beside = await this.#list({ ...inState, createdAt: at, _id: { $lt: after.reportId } }, limit);
    const rest = limit - beside.length;
    return rest === 0 ? beside : [...beside, ...(await this.#list({ ...inState, createdAt: { $lt: at } }, rest))];
  }

  /** A report with its evidence. */
  async find(reportId: string): Promise<ReportDocument | undefined> {
    return (await asking(() => this.#reports.findOne({ _id: reportId }))) ?? undefined;
  }

  /** Resolves a report that is open. Answers how it is resolved, and whether by this call; undefined: there is none. */
  async resolve(reportId: string, verdict: Verdict): Promise<Resolved | undefined> {
    const resolved = { $set: { state: "resolved" as const, ...verdict } };
    const result = await asking(() => this.#reports.updateOne({ _id: reportId, state: "open" }, resolved));
    if (result.matchedCount === 1) {
      return { resolution: verdict.resolution, isFirst: true };
    }
    const found = await asking(() => this.#reports.findOne({ _id: reportId }, { projection: { resolution: 1 } }));
    return found?.resolution && { resolution: found.resolution, isFirst: false };
  }

  /** When reports of an account were rejected, after a time; the newest first, at most `limit`. */
  async findRejections(reporterId: string, after: number, limit: number): Promise<readonly number[]> {
    const filter = { reporterId, resolution: "rejected" as const, resolvedAt: { $gt: new Date(after) } };
    const options = { projection: { _id: 0, resolvedAt: 1 }, sort: { resolvedAt: -1 }, limit } as const;
    const found = await asking(() => this.#reports.find(filter, options).toArray());
    return found.flatMap(({ resolvedAt }) => (resolvedAt === undefined ? [] : [resolvedAt.getTime()]));
  }

  /** How many accounts have reported an account. */
  async countReporters(accountId: string): Promise<number> {
    const stages = [{ $match: { reportedIds: accountId } }, { $group: { _id: "$reporterKey" } }, { $count: "reporters" }];
    const [counted] = await asking(() => this.#reports.aggregate<{ reporters: number }>(stages).toArray());
    return counted?.reporters ?? 0;
  }

  /** Takes what is personal of accounts out of the reports that they filed; reports about them stay. Repeating it is fine. */
  async anonymise(accountIds: readonly string[]): Promise<void> {
    const filed = { reporterId: { $in: [...accountIds] } };
    for (const reporterId of await asking(() => this.#reports.distinct("reporterId", filed))) {
      await asking(() => this.#reports.updateMany({ reporterId }, anonymised(reporterId, newUuid())));
    }
  }

  #list(filter: Document, limit: number): Promise<readonly ReportHeading[]> {
    return asking(() => this.#reports.find<ReportHeading>(filter, { projection: HEADING, sort: NEWEST_FIRST, limit }).toArray());
  }
}

/** The change to the reports of an account. Receipts go: they name it, and digest its words. */
function anonymised(reporterId: string, reporterKey: string): Document[] {
  const isReporter = (path: string): Document => ({ $eq: [path, reporterId] });
  const message = {
    messageId: "$$message.messageId",
    senderId: { $cond: [isReporter("$$message.senderId"), NIL_UUID, "$$message.senderId"] },
    recipientId: { $cond: [isReporter("$$message.recipientId"), NIL_UUID, "$$message.recipientId"] },
    sentAt: "$$message.sentAt",
    sealed: { $cond: [isReporter("$$message.senderId"), "$$REMOVE", "$$message.sealed"] },
  };
  const messages = { $map: { input: "$messages", as: "message", in: message } };
  return [{ $set: { reporterId: NIL_UUID, reporterKey, reason: "", messages } }];
}
