import type { LedgerCounts } from "../store/ledger.ts";
import { FAULT_KINDS, type FaultKind } from "./faults.ts";

/** What came of one kind of fault. */
export interface FaultCount {
  readonly found: number;
  readonly repaired: number;
  readonly left: number;
  /** A few of the messages, of those that are left first. */
  readonly examples: readonly string[];
}

/** What a check of the ledger found. */
export interface LedgerReport {
  readonly counts: LedgerCounts;
  /** Pending claims and bodies that were looked at. */
  readonly claims: number;
  readonly bodies: number;
  /** Claims without a body, too young to be a fault: nobody was answered OK, the sender may repeat. */
  readonly unanswered: number;
  readonly faults: Readonly<Record<FaultKind, FaultCount>>;
}

const MAX_EXAMPLES = 3;

/** Faults that are counted as they are found, and again when they could not be repaired. */
export class Tally {
  readonly #found = new Map<FaultKind, { count: number; examples: string[] }>();
  readonly #left = new Map<FaultKind, { count: number; examples: string[] }>();

  find(kinds: readonly FaultKind[], id: string): void {
    note(this.#found, kinds, id);
  }

  leave(kinds: readonly FaultKind[], id: string): void {
    note(this.#left, kinds, id);
  }

  counts(): Readonly<Record<FaultKind, FaultCount>> {
    const countOf = (kind: FaultKind): FaultCount => {
      const { count: found, examples } = this.#found.get(kind) ?? NONE;
      const left = this.#left.get(kind) ?? NONE;
      const some = [...new Set([...left.examples, ...examples])].slice(0, MAX_EXAMPLES);
      return { found, repaired: found - left.count, left: left.count, examples: some };
    };
    return Object.fromEntries(FAULT_KINDS.map((kind) => [kind, countOf(kind)])) as Record<FaultKind, FaultCount>;
  }
}

const NONE: { readonly count: number; readonly examples: string[] } = { count: 0, examples: [] };

/** Whether anything contradicts that is not repaired. */
export function isConsistent({ faults }: LedgerReport): boolean {
  return FAULT_KINDS.every((kind) => faults[kind].left === 0);
}

function note(tally: Map<FaultKind, { count: number; examples: string[] }>, kinds: readonly FaultKind[], id: string): void {
  for (const kind of kinds) {
    const { count, examples } = tally.get(kind) ?? NONE;
    tally.set(kind, { count: count + 1, examples: examples.length < MAX_EXAMPLES ? [...examples, id] : examples });
  }
}
