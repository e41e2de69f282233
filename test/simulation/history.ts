import { stimulate } from "./faults.ts";
import type { FlawName } from "./flaws.ts";
import type { Plan } from "./plan.ts";
import { comeToRest } from "./quiet-end.ts";
import { type Log, START_MS } from "./timeline.ts";
import type { Violation } from "./verdict.ts";
import { World } from "./world.ts";

/** What came of a history. */
export interface Outcome {
  readonly steps: number;
  readonly violation: Violation | undefined;
}

/** The longest that something goes on after the last stimulus before the quiet end. */
const TAIL_MS = 1_500;

/** Lets a planned history happen. The same plan, the same history. @throws Error a fault of the model itself. */
export function runPlan(plan: Plan, flaw?: FlawName, log?: Log): Outcome {
  const world = new World(plan, flaw, log);
  try {
    world.devices.forEach((device, index) => {
      if (index % 4 < 3) {
        device.connect();
      }
    });
    for (const stimulus of plan.stimuli) {
      world.timeline.runUntil(START_MS + stimulus.at);
      stimulate(world, stimulus);
    }
    world.timeline.runUntil(world.unhinderedAt + TAIL_MS);
    comeToRest(world);
  } catch (error) {
    if (world.verdict.violation === undefined) {
      throw error;
    }
  }
  return { steps: world.timeline.steps, violation: world.verdict.violation };
}
