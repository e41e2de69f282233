import { UsageError } from "../command.ts";
import { flagValue } from "../flag-value.ts";
import { FAULT_TARGETS, type FaultKind } from "./fault.ts";
import type { MemberKind } from "./member.ts";

/** What a run is asked for. */
export interface ChaosPlan {
  readonly seed: number;
  /** How many faults, and of which kinds. */
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  /** No fault lasts longer. */
  readonly longestMs: number;
  readonly people: number;
  /** How long somebody waits between an answer and the next message, on average. */
  readonly thinkMs: number;
  /** How long after the last fault everything may take to arrive. */
  readonly settleMs: number;
  readonly counts: Readonly<Record<MemberKind, number>>;
  /** Whose system: one of the run's own, unless gateways of another one are named. */
  readonly urls: readonly string[];
  /** What does faults to that other one. */
  readonly program: string | undefined;
  /** Whether the outcome is JSON too. */
  readonly json: boolean;
}

/** The flags that take a number: its least and most, and what it is when it is left out. */
const NUMBERS = {
  seed: { least: 0, most: 4_294_967_295, usual: undefined },
  faults: { least: 1, most: 100_000, usual: 50 },
  people: { least: 2, most: 10_000, usual: 200 },
  "think-ms": { least: 10, most: 3_600_000, usual: 4_000 },
  gateways: { least: 1, most: 20, usual: 2 },
  chats: { least: 1, most: 20, usual: 2 },
  accounts: { least: 1, most: 20, usual: 2 },
  mongods: { least: 1, most: 7, usual: 3 },
  "settle-ms": { least: 0, most: 3_600_000, usual: 120_000 },
  "longest-ms": { least: 100, most: 600_000, usual: 30_000 },
} as const;

/** Names for several kinds of fault. */
const GROUPS: Readonly<Record<string, readonly FaultKind[]>> = { proxy: ["delay", "cut", "black-hole", "half", "refuse"] };

// A full disk takes the rights of root, and is only made where it is asked for.
const USUAL_KINDS = "kill,pause,proxy,step-down,read-only";

/** The flags of a run. */
export const CHAOS_FLAGS: readonly string[] = [...Object.keys(NUMBERS), "kinds", "urls", "inject"]
  .map((name) => `--${name}=`)
  .concat("--json");

/** What the flags of a command ask for; `freshSeed` is taken when they name none. @throws UsageError */
export function planOf(flags: ReadonlySet<string>, freshSeed: number): ChaosPlan {
  const urls = (flagValue(flags, "--urls=") ?? "").split(",").filter((url) => url !== "");
  const stray = urls.find((url) => !/^https?:\/\/[^/]/.test(url) || !URL.canParse(url));
  if (stray !== undefined) {
    throw new UsageError(`--urls takes the addresses of gateways, as https://chat.example, in a comma list; ${stray} is none`);
  }
  const program = flagValue(flags, "--inject=");
  if (program !== undefined && urls.length === 0) {
    throw new UsageError("--inject goes with --urls: to a system of its own the run does everything itself");
  }
  return {
    seed: numberIn(flags, "seed") ?? freshSeed,
    faults: numberIn(flags, "faults"),
    kinds: kindsIn(flagValue(flags, "--kinds=") ?? USUAL_KINDS),
    longestMs: numberIn(flags, "longest-ms"),
    people: numberIn(flags, "people"),
    thinkMs: numberIn(flags, "think-ms"),
    settleMs: numberIn(flags, "settle-ms"),
    counts: {
      gateway: urls.length || numberIn(flags, "gateways"),
      chat: numberIn(flags, "chats"),
      account: numberIn(flags, "accounts"),
      mongod: numberIn(flags, "mongods"),
    },
    urls,
    program,
    json: flags.has("--json"),
  };
}

function numberIn<Name extends keyof typeof NUMBERS>(flags: ReadonlySet<string>, name: Name): number | (typeof NUMBERS)[Name]["usual"] {
  const { least, most, usual } = NUMBERS[name];
  const text = flagValue(flags, `--${name}=`);
  if (text === undefined) {
    return usual;
  }
  const number = Number(text);
  if (!/^\d{1,10}$/.test(text) || number < least || number > most) {
    throw new UsageError(`--${name} takes a whole number from ${least} to ${most}`);
  }
  return number;
}

function kindsIn(text: string): readonly FaultKind[] {
  const words = text.split(",").flatMap((word): readonly string[] => GROUPS[word] ?? [word]);
  const known = Object.keys(FAULT_TARGETS) as FaultKind[];
  if (!words.every((word) => known.some((kind) => kind === word))) {
    throw new UsageError(`--kinds takes ${[...Object.keys(GROUPS), ...known].join(", ")}, or several of them in a comma list`);
  }
  return known.filter((kind) => words.includes(kind));
}
