import { durationOf, FAULT_TARGETS, type Fault, type FaultKind, laneOf, type Target, type TargetKind } from "./fault.ts";
import type { MemberKind } from "./member.ts";
import { type Random, seededRandom } from "./random.ts";

/** What a schedule is made from. */
export interface ScheduleSetup {
  readonly seed: number;
  /** How many faults. */
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  /** How many processes of each kind there are. */
  readonly counts: Readonly<Record<MemberKind, number>>;
  /** What can be hit; a kind of fault that hits nothing of it takes no turns. */
  readonly targets: readonly TargetKind[];
  /** No fault lasts longer, in milliseconds. */
  readonly longestMs: number;
}

/** A fault, whom it hits, and when: in milliseconds from the beginning, at the earliest. */
export interface ScheduledFault {
  readonly atMs: number;
  readonly fault: Fault;
  readonly target: Target;
}

const SHORTEST_MS = 1_000;
const GAP_MS = { least: 500, most: 3_500 };
/** From the end of a fault to the next one on the same kind of process: what a restart or an election takes. */
const REST_MS = 5_000;
const DELAY_MS = { least: 20, most: 1_000 };

/**
 * The faults of a run in the order of their times; the same setup gives the same ones. Kinds of fault take turns, and so do the kinds of process that each of them hits. Faults on
 * different kinds of process may overlap; of one kind, the servers of the database being one, two never do.
 */
export function makeSchedule({ seed, faults, kinds, counts, targets, longestMs }: ScheduleSetup): readonly ScheduledFault[] {
  const random = seededRandom(seed);
  const hits = (kind: FaultKind): readonly TargetKind[] => FAULT_TARGETS[kind].filter((target) => targets.includes(target));
  const possible = kinds.filter((kind) => hits(kind).length > 0);
  const nextKind = takeTurns(possible, random);
  const nextTarget = new Map(possible.map((kind) => [kind, takeTurns(hits(kind), random)]));
  const freeAt = new Map<MemberKind, number>();
  const scheduled: ScheduledFault[] = [];
  for (let number = 0, at = 0; number < (possible.length > 0 ? faults : 0); number += 1) {
    const kind = nextKind();
    const target = chooseTarget(nextTarget.get(kind)?.() ?? "primary", counts, random);
    const fault = chooseFault(kind, longestMs, random);
    at += between(GAP_MS.least, GAP_MS.most, random);
    const atMs = Math.max(at, freeAt.get(laneOf(target)) ?? 0);
    freeAt.set(laneOf(target), atMs + durationOf(fault) + REST_MS);
    scheduled.push({ atMs, fault, target });
  }
  return scheduled.sort((one, other) => one.atMs - other.atMs);
}

/** Goes through a list again and again, each time in another order. */
function takeTurns<T>(items: readonly T[], random: Random): () => T {
  let left: T[] = [];
  return () => {
    if (left.length === 0) {
      left = [...items];
    }
    const [taken] = left.splice(random.below(left.length), 1);
    return taken as T;
  };
}

function chooseTarget(kind: TargetKind, counts: ScheduleSetup["counts"], random: Random): Target {
  return kind === "primary" ? { kind } : { kind, index: random.below(counts[kind]) };
}

function chooseFault(kind: FaultKind, longestMs: number, random: Random): Fault {
  const durationMs = between(Math.min(SHORTEST_MS, longestMs), longestMs, random);
  switch (kind) {
    case "kill":
    case "cut":
    case "step-down":
      return { kind };
    case "delay":
      return { kind, durationMs, delayMs: between(DELAY_MS.least, DELAY_MS.most, random) };
    case "half":
      return { kind, durationMs, swallowed: random.pick(["up", "down"]) };
    case "pause":
    case "black-hole":
    case "refuse":
    case "read-only":
    case "full-disk":
      return { kind, durationMs };
  }
}

function between(least: number, most: number, random: Random): number {
  return least + random.below(most - least + 1);
}
