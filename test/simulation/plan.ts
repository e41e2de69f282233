import type { Random } from "../fuzz/random.ts";

/** Something that is done to the world. Numbers pick among what there is at that time. */
export interface Stimulus {
  readonly kind: StimulusKind;
  /** In milliseconds after the beginning. */
  readonly at: number;
  readonly one: number;
  readonly other: number;
  readonly ms: number;
}

/** What is done to the world. */
export type StimulusKind = keyof typeof WEIGHTS;

/** One history before it happens: how large the world is, how bad, and what is done to it. */
export interface Plan {
  readonly seed: number;
  readonly gateways: number;
  readonly chatCopies: number;
  readonly accountCopies: number;
  readonly accounts: number;
  /** Accounts with two devices; the first ones. */
  readonly twins: number;
  /** Nothing breaks and nothing is slow: then order and promptness are promised too. */
  readonly isCalm: boolean;
  /** Sends reach any copy, as those of a gateway that sees fewer copies do. */
  readonly isSplit: boolean;
  /** The longest that a message travels, in milliseconds. */
  readonly slowMs: number;
  /** Out of a hundred operations of the database: not done, or done and not told. */
  readonly lossPercent: number;
  /** How many messages an inbox holds. */
  readonly room: number;
  /** How long a client waits for an exchange, at most. */
  readonly patienceMs: number;
  readonly stimuli: readonly Stimulus[];
}

/** How often each is done, where it is done at all. Faults are not done to a calm world. */
const WEIGHTS = {
  connect: 6,
  disconnect: 3,
  connectAgain: 2,
  crashDevice: 2,
  send: 14,
  repeatSend: 2,
  sendOther: 1,
  block: 1,
  unblock: 1,
  crash: 3,
  pause: 3,
  cutRelay: 3,
  outage: 2,
  steal: 2,
  thieve: 4,
} as const;

const FAULTS: ReadonlySet<StimulusKind> = new Set(["crash", "pause", "cutRelay", "outage", "crashDevice"]);
const THEFT: ReadonlySet<StimulusKind> = new Set(["steal", "thieve"]);
const KINDS = Object.keys(WEIGHTS) as StimulusKind[];

/** The history of a seed. Each leaves out some kinds of what may be done, so that others come in crowds. */
export function planHistory(seed: number, random: Random): Plan {
  const isCalm = random.below(5) === 0;
  const slowMs = isCalm ? 20 : random.pick([20, 20, 400, 3_500]);
  const kinds = drawKinds(random, isCalm);
  return {
    seed,
    gateways: 1 + random.below(2),
    chatCopies: 1 + random.below(2),
    accountCopies: 1 + random.below(2),
    accounts: 2 + random.below(2),
    twins: random.below(3) === 0 ? 1 + random.below(2) : 0,
    isCalm,
    isSplit: random.below(4) === 0,
    slowMs,
    lossPercent: isCalm ? 0 : random.pick([0, 0, 3, 10]),
    room: random.below(10) === 0 ? 1 + random.below(3) : 10_000,
    patienceMs: random.pick([2_000, 10_000, 20_000]),
    stimuli: drawStimuli(random, kinds),
  };
}

function drawKinds(random: Random, isCalm: boolean): readonly StimulusKind[] {
  const hasThief = !isCalm && random.below(4) === 0;
  return KINDS.flatMap((kind) => {
    if ((isCalm && FAULTS.has(kind)) || (!hasThief && THEFT.has(kind))) {
      return [];
    }
    const isIn = kind === "send" ? random.below(8) > 0 : THEFT.has(kind) || random.below(5) > 1;
    return isIn ? Array.from({ length: WEIGHTS[kind] }, () => kind) : [];
  });
}

function drawStimuli(random: Random, kinds: readonly StimulusKind[]): readonly Stimulus[] {
  if (kinds.length === 0) {
    return [];
  }
  const stimuli: Stimulus[] = [];
  const isHasty = random.below(2) === 0;
  let at = 0;
  for (let left = 4 + random.below(14); left > 0; left -= 1) {
    at += drawGap(random, isHasty);
    stimuli.push({ kind: random.pick(kinds), at, one: random.below(64), other: random.below(64), ms: drawLength(random) });
  }
  return stimuli;
}

function drawGap(random: Random, isHasty: boolean): number {
  switch (random.below(isHasty ? 12 : 6)) {
    case 0:
      return random.below(6_000);
    case 1:
      return random.below(1_000);
    case 2:
      return 0;
    default:
      return random.below(120);
  }
}

/** Of a pause or an outage. */
function drawLength(random: Random): number {
  return random.below(2) === 0 ? random.below(3_000) : random.below(30_000);
}
