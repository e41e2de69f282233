import { setTimeout as sleep } from "node:timers/promises";
import { fetchPending } from "./correspondence.ts";
import type { Person } from "./person.ts";
import type { Random } from "./random.ts";

/** What somebody lives by: their own luck, and the end of the day. */
export interface Life {
  readonly random: Random;
  /** How long somebody waits between an answer and the next message, on average, in milliseconds. */
  readonly thinkMs: number;
  readonly over: AbortSignal;
}

/** How somebody uses their apps. */
export interface Habit {
  readonly devices: number;
  readonly takesEvents: boolean;
  /** Whether they never come: what is sent to them stays pending. */
  readonly staysAway: boolean;
  /** Until the day is over. */
  live(person: Person, life: Life): Promise<void>;
}

/** How long somebody stays with an app, stays without one, and lets pending messages wait, at least, in milliseconds: coming and going costs more than writing. */
const STAY_MS = 6_000;
const PAUSE_MS = 2_000;
const POLL_MS = 500;

/** Always there, with one app. */
const STEADY: Habit = { devices: 1, takesEvents: true, staysAway: false, live: async (person) => void person.open() };

/** Ends the app, comes back after a while, and starts it anew. */
const WANDERER: Habit = {
  devices: 1,
  takesEvents: true,
  staysAway: false,
  live: async (person, life) => {
    while (!life.over.aborted) {
      person.open();
      await spend(Math.max(STAY_MS, 2 * life.thinkMs), life);
      await person.close();
      await spend(Math.max(PAUSE_MS, life.thinkMs), life);
    }
  },
};

/** Goes from one device to the other: the newer connection takes over from the older one. */
const TWO_DEVICES: Habit = {
  devices: 2,
  takesEvents: true,
  staysAway: false,
  live: async (person, life) => {
    person.open();
    while (!life.over.aborted) {
      await spend(Math.max(STAY_MS, 2 * life.thinkMs), life);
      person.openElsewhere();
    }
  },
};

/** Asks for what is pending and acknowledges it, over HTTP. */
const POLLER: Habit = {
  devices: 1,
  takesEvents: false,
  staysAway: false,
  live: async (person, life) => {
    person.open();
    while (!life.over.aborted) {
      await fetchPending(person, life.over);
      await spend(Math.max(POLL_MS, life.thinkMs / 2), life);
    }
  },
};

/** Gets messages and never comes for them. */
const AWAY: Habit = { devices: 1, takesEvents: true, staysAway: true, live: async () => undefined };

/** The habits in the order in which people get them, again and again. */
const ROUND: readonly Habit[] = [
  ...[STEADY, WANDERER, TWO_DEVICES, POLLER, STEADY],
  ...[STEADY, WANDERER, STEADY, POLLER, STEADY],
  ...[STEADY, WANDERER, TWO_DEVICES, STEADY, AWAY],
  ...[STEADY, WANDERER, STEADY, POLLER, TWO_DEVICES],
];

/** The habit of the person of a number. */
export function habitOf(index: number): Habit {
  return ROUND[index % ROUND.length] as Habit;
}

/** Waits for about as long, or until the day is over. */
export async function spend(aboutMs: number, { random, over }: Life): Promise<void> {
  await sleep(aboutMs / 2 + random.below(aboutMs), undefined, { signal: over }).catch(() => undefined);
}
