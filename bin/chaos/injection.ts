import type { ScheduledFault } from "./schedule.ts";

/** A fault that was done, and what there is to do about it. */
export interface Injection {
  /** Who it hit, as "mongod 1". */
  readonly victim: string;
  /** Ends it. */
  readonly heal: () => Promise<void>;
  /** Whether the victim is as it was before. */
  readonly isOver: () => Promise<boolean>;
}

/** A fault that could not be done, and why. */
export interface Skipped {
  readonly skipped: string;
  /** What may have been done of it all the same, and has to be ended. */
  readonly halfDone?: Injection;
}

/** Does a fault. */
export type Inject = (fault: Pick<ScheduledFault, "fault" | "target">) => Promise<Injection | Skipped>;
