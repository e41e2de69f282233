import { seeded } from "../fuzz/random.ts";
import type { FlawName } from "./flaws.ts";
import { runPlan } from "./history.ts";
import { type Plan, planHistory } from "./plan.ts";

/** Which histories are to happen: those of `histories` seeds from `seed` on. */
export interface Campaign {
  readonly seed: number;
  readonly histories: number;
  readonly flaw?: FlawName | undefined;
}

/** A history that broke a promise. */
export interface Finding {
  readonly seed: number;
  /** How many histories it took, this one included. */
  readonly after: number;
  readonly promise: string;
  readonly text: string;
}

/** What came of a campaign. */
export interface Tally {
  readonly histories: number;
  readonly steps: number;
  readonly findings: readonly Finding[];
}

/** Lets histories happen, until so many have broken a promise. */
export function runCampaign({ seed, histories, flaw }: Campaign, maxFindings: number): Tally {
  const findings: Finding[] = [];
  let steps = 0;
  let done = 0;
  while (done < histories && findings.length < maxFindings) {
    const outcome = runPlan(planOf(seed + done), flaw);
    done += 1;
    steps += outcome.steps;
    if (outcome.violation !== undefined) {
      const { promise, message } = outcome.violation;
      findings.push({ seed: seed + done - 1, after: done, promise, text: message });
    }
  }
  return { histories: done, steps, findings };
}

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  return planHistory(seed, seeded(seed));
}

/** A plan with as few stimuli as still break the same promise: each is left out in turn, as long as that helps. */
export function shrink(plan: Plan, promise: string, flaw?: FlawName): Plan {
  let smallest = plan;
  for (let size = Math.ceil(plan.stimuli.length / 2); size > 0; size = Math.floor(size / 2)) {
    for (let start = 0; start < smallest.stimuli.length; ) {
      const stimuli = smallest.stimuli.filter((_, index) => index < start || index >= start + size);
      const candidate = { ...smallest, stimuli };
      if (runPlan(candidate, flaw).violation?.promise === promise) {
        smallest = candidate;
      } else {
        start += size;
      }
    }
  }
  return smallest;
}
