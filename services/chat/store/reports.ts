import { asking, type Collection, type Db } from "../../../platform/mongo.ts";
import { insertNew } from "./insert-new.ts";
import type { ReportDocument } from "./schema.ts";

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
}
