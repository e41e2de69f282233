import { UsageError } from "../command.ts";
import { flagValue } from "../flag-value.ts";
import { SERVING_FLAGS } from "../process/node-flags.ts";
import { INSPECTABLE } from "./collect-garbage.ts";
import type { WindowTimes } from "./load/window.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

/** What a run is asked for. */
export interface BenchPlan {
  readonly scenarios: readonly Scenario[];
  readonly rounds: number;
  readonly times: WindowTimes;
  /** Flags for Node, for the roles; % stands for the name of the process. */
  readonly nodeFlags: readonly string[];
  /** Where the outcome is written as JSON. */
  readonly json: string | undefined;
  /** An earlier outcome that this one is compared with. */
  readonly compare: string | undefined;
}

const WARM_UP_MS = 1_500;

/** What the flags of a command ask for. @throws UsageError */
export function planOf(flags: ReadonlySet<string>): BenchPlan {
  const text = (name: string): string | undefined => flagValue(flags, `--${name}=`);
  const number = (name: string, usual: number): number => {
    const value = text(name);
    if (value !== undefined && !/^[1-9]\d{0,3}$/.test(value)) {
      throw new UsageError(`--${name} takes a whole number from 1 up`);
    }
    return value === undefined ? usual : Number(value);
  };
  const only = text("only")?.split(",");
  const stray = only?.find((name) => !SCENARIOS.some((scenario) => scenario.name === name));
  if (stray !== undefined) {
    throw new UsageError(
      `--only takes ${SCENARIOS.map(({ name }) => name).join(", ")}, or several of them in a comma list; ${stray} is none`,
    );
  }
  const flame = text("flame");
  return {
    scenarios: SCENARIOS.filter(({ name }) => only === undefined || only.includes(name)),
    rounds: number("rounds", 3),
    times: { warmUpMs: WARM_UP_MS, measuredMs: number("seconds", 4) * 1_000 },
    nodeFlags: [
      ...SERVING_FLAGS,
      INSPECTABLE,
      ...(flame === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${flame}`, "--cpu-prof-name=%.cpuprofile"]),
    ],
    json: text("json"),
    compare: text("compare"),
  };
}
