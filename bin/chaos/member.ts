import type { Place } from "./place.ts";

/** The kinds of process that a layout is made of. */
export const MEMBER_KINDS = ["gateway", "chat", "account", "mongod"] as const;

/** One of them. */
export type MemberKind = (typeof MEMBER_KINDS)[number];

/** One process of a layout. When it dies it is started again at once, on the same port and data. */
export interface Member extends Pick<Place, "name" | "kind" | "index" | "proxy"> {
  /** Its process now. Undefined while it is started again. */
  readonly pid: () => number | undefined;
  /** Whether it answers for itself, whatever the others do. */
  readonly isReady: () => Promise<boolean>;
}
