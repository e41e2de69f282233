import type { BodyKey } from "../store/inbox.ts";
import type { ClaimView } from "../store/ledger.ts";
import { LIFETIME_MS } from "../store/sends.ts";

/** How ledger and inboxes may contradict each other. */
export const FAULT_KINDS = ["body-without-claim", "claim-without-body", "claim-without-date", "overdue-body", "overdue-claim"] as const;

/** One of the contradictions. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What ledger and inboxes hold of one message. */
export interface Evidence {
  readonly claim: ClaimView | undefined;
  /** More than one only where shards hold the message for different recipients. */
  readonly bodies: readonly BodyKey[];
}

/** What a message is judged by. */
export interface Bounds {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** A claim may be without its body for so long. */
  readonly unansweredMs: number;
  /** So long after its end a message may still wait for the sweep. */
  readonly marginMs: number;
}

/** Whether a body is the one that a claim was made for. */
export function belongsTo(body: Pick<BodyKey, "acceptedAt">, claim: ClaimView | undefined): boolean {
  return claim?.state === "pending" && claim.acceptedAt === body.acceptedAt;
}

/** What is wrong with a message. */
export function faultsOf({ claim, bodies }: Evidence, bounds: Bounds): readonly FaultKind[] {
  const own = bodies.filter((body) => belongsTo(body, claim));
  const found: Readonly<Record<FaultKind, boolean>> = {
    "body-without-claim": own.length < bodies.length,
    "claim-without-body": claim?.state === "pending" && own.length === 0 && !isUnderWay(claim, bounds),
    "claim-without-date": claim !== undefined && !isDated(claim),
    "overdue-body": own.some(({ acceptedAt }) => isOverdue(acceptedAt + LIFETIME_MS, bounds)),
    "overdue-claim": claim?.expiresAt !== undefined && isOverdue(claim.expiresAt, bounds),
  };
  return FAULT_KINDS.filter((kind) => found[kind]);
}

/** Whether the body of a claim may be on its way, or its sender about to repeat it. */
export function isUnderWay({ acceptedAt }: Pick<ClaimView, "acceptedAt">, { now, unansweredMs }: Bounds): boolean {
  return acceptedAt + unansweredMs >= now;
}

function isDated({ state, expiresAt, hasPurgeDate }: ClaimView): boolean {
  return state === "pending" ? expiresAt !== undefined : hasPurgeDate;
}

function isOverdue(end: number, { now, marginMs }: Bounds): boolean {
  return end + marginMs < now;
}
