import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { nodeSurroundings } from "../../client/node.ts";
import type { Surroundings } from "../../client/surroundings.ts";
import { Wakeup } from "../../client/wakeup.ts";
import { askAfter, fetchPending, write } from "./correspondence.ts";
import type { World } from "./device.ts";
import { GatewayRotation } from "./gateway-rotation.ts";
import { type Habit, habitOf, type Life, spend } from "./habits.ts";
import { Ledger } from "./ledger.ts";
import { Person } from "./person.ts";
import { type Random, seededRandom } from "./random.ts";
import type { Verdict } from "./verdict.ts";

/** Who sends what to whom. */
export interface TrafficPlan {
  /** The HTTP addresses of all gateways; a client that loses one goes on with the next. */
  readonly urls: readonly string[];
  /** How many accounts there are, of all habits. */
  readonly people: number;
  /** The same seed makes the same people do the same things. */
  readonly seed: number;
  /** How long somebody waits between an answer and the next message, on average, in milliseconds; default 4 s. */
  readonly thinkMs?: number;
  /** On what the client library runs; default Node's. */
  readonly surroundings?: Surroundings;
}

/** Somebody with their habit, their luck in it, and their luck with what they write. */
interface Inhabitant {
  readonly person: Person;
  readonly habit: Habit;
  readonly fortune: Random;
  readonly muse: Random;
}

const THINK_MS = 4_000;
/** Logins at a time. */
const AT_ONCE = 20;
/** How often it is looked whether all is settled. */
const LOOK_MS = 250;
const NOBODY: ReadonlySet<string> = new Set();

/** People who write to each other through the client library, each with habits of their own, and the ledger of what they saw. */
export class ChaosTraffic implements AsyncDisposable {
  readonly #ledger: Ledger;
  readonly #acceptances: Wakeup;
  readonly #thinkMs: number;
  readonly #people: readonly Inhabitant[];
  #away: ReadonlySet<string>;
  /** Aborted: nobody follows their habits any more, or begins a message. */
  readonly #evening = new AbortController();
  /** Aborted: nobody tries anything any more. */
  readonly #night = new AbortController();
  readonly #habits: Promise<unknown>;
  readonly #writing: Promise<unknown>;

  private constructor(ledger: Ledger, acceptances: Wakeup, people: readonly Inhabitant[], thinkMs: number) {
    this.#acceptances = acceptances;
    this.#ledger = ledger;
    this.#people = people;
    this.#thinkMs = thinkMs;
    // Everybody listens to both.
    setMaxListeners(0, this.#evening.signal, this.#night.signal);
    this.#away = new Set(people.filter(({ habit }) => habit.staysAway).map(({ person }) => person.accountId));
    this.#habits = Promise.all(people.map(({ person, habit, fortune }) => habit.live(person, this.#life(fortune))));
    this.#writing = Promise.all(this.#present().map((inhabitant) => this.#write(inhabitant)));
  }

  /** Logs everybody in; from then on they live by their habits. @throws Error when somebody cannot */
  static async start({ urls, people, seed, thinkMs = THINK_MS, surroundings = nodeSurroundings() }: TrafficPlan): Promise<ChaosTraffic> {
    const acceptances = new Wakeup();
    const ledger = new Ledger(undefined, () => acceptances.wake());
    let connections = 0;
    const nextConnection = (): number => {
      connections += 1;
      return connections;
    };
    const world: World = { ledger, surroundings, nextConnection };
    const inhabitants: Inhabitant[] = [];
    for (let start = 0; start < people; start += AT_ONCE) {
      const logins = Array.from({ length: Math.min(AT_ONCE, people - start) }, (_, offset) => start + offset);
      inhabitants.push(...(await Promise.all(logins.map((index) => inhabit(world, urls, index, seed)))));
    }
    return new ChaosTraffic(ledger, acceptances, inhabitants, thinkMs);
  }

  /** Sends that were answered OK so far. */
  get accepted(): number {
    return this.#ledger.accepted;
  }

  /** Resolves once so many sends were answered OK. */
  async whenAccepted(messages: number): Promise<void> {
    while (this.accepted < messages) {
      await this.#acceptances.wait();
    }
  }

  /** Who stays away on purpose, until they come in the end. */
  get away(): ReadonlySet<string> {
    return this.#away;
  }

  /** Nobody begins a message any more, nor goes anywhere; what was begun is repeated until it is answered. Repeating it is fine. */
  async stop(): Promise<void> {
    this.#evening.abort();
    await this.#habits;
    await Promise.all(this.#present().map(({ person }) => person.stay()));
  }

  /**
   * Stops, and resolves when everything has arrived and been acknowledged, those who stayed away have come for what waited for them, and no fresh app is given anything; or with what is missing
   * when the time is over.
   */
  async settle(deadlineMs: number): Promise<Verdict> {
    const timer = setTimeout(() => this.#night.abort(), deadlineMs);
    let pending = 0;
    try {
      await this.stop();
      await this.#arrive();
      ({ pending } = this.#ledger.verdict(this.#away));
      if (!this.#night.signal.aborted) {
        this.#away = NOBODY;
        // Who was away comes, and stays as all others do.
        await this.stop();
        await this.#arrive();
      }
      await Promise.all(this.#people.map((inhabitant) => this.#startAnew(inhabitant)));
    } finally {
      clearTimeout(timer);
      this.#night.abort();
    }
    await this.#writing;
    return { ...this.#ledger.verdict(this.#away), pending };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#evening.abort();
    this.#night.abort();
    await this.#habits;
    await Promise.all(this.#people.map(({ person }) => person[Symbol.asyncDispose]()));
    await this.#writing;
  }

  #present(): readonly Inhabitant[] {
    return this.#people.filter(({ person }) => !this.#away.has(person.accountId));
  }

  #life(random: Random): Life {
    return { random, thinkMs: this.#thinkMs, over: this.#evening.signal };
  }

  async #write({ person, muse }: Inhabitant): Promise<void> {
    const life = this.#life(muse);
    for (;;) {
      await spend(this.#thinkMs, life);
      if (life.over.aborted) {
        return;
      }
      await write(person, muse.pick(this.#people).person.accountId, lengthOfBody(muse), this.#night.signal);
    }
  }

  /** Resolves when everything is settled that concerns those who are there, or the night falls. */
  async #arrive(): Promise<void> {
    while (!this.#night.signal.aborted && this.#ledger.unsettled(this.#away).length > 0) {
      await this.#lookAround();
      await this.#waitToLook();
    }
  }

  /** Senders ask after what is not settled, and who takes no events fetches what is pending. */
  async #lookAround(): Promise<void> {
    const unsettled = this.#ledger.unsettled(this.#away);
    await Promise.all(
      this.#present().map(async ({ person, habit }) => {
        if (!habit.takesEvents) {
          await fetchPending(person, this.#night.signal);
        }
        const mine = unsettled.filter(({ senderId }) => senderId === person.accountId);
        await askAfter(
          person,
          mine.map(({ clientMessageId }) => clientMessageId),
          this.#night.signal,
        );
      }),
    );
  }

  /** A fresh app, which remembers nothing: whatever it is given is a duplicate. */
  async #startAnew({ person, habit }: Inhabitant): Promise<void> {
    const night = this.#night.signal;
    let isGivenAll = false;
    if (!night.aborted) {
      await person.close();
      const run = person.open();
      isGivenAll = habit.takesEvents ? await run.queueEmpty(night) : await this.#fetchAll(person);
    }
    if (!isGivenAll) {
      this.#ledger.leaveUnchecked();
    }
  }

  /** Answers whether nothing was left before the night fell. */
  async #fetchAll(person: Person): Promise<boolean> {
    while (!this.#night.signal.aborted) {
      if (await fetchPending(person, this.#night.signal)) {
        return true;
      }
      await this.#waitToLook();
    }
    return false;
  }

  async #waitToLook(): Promise<void> {
    await sleep(LOOK_MS, undefined, { signal: this.#night.signal }).catch(() => undefined);
  }
}

async function inhabit(world: World, urls: readonly string[], index: number, seed: number): Promise<Inhabitant> {
  const [fortune, muse] = [seededRandom(seed * 1_000_003 + 2 * index), seededRandom(seed * 1_000_003 + 2 * index + 1)];
  const habit = habitOf(index);
  const gateways = new GatewayRotation(urls, fortune.below(urls.length));
  const person = await Person.logIn({ world, gateways, ...habit });
  return { person, habit, fortune, muse };
}

/** Most are short, some long, and a few nearly as long as they may be. */
function lengthOfBody(random: Random): number {
  return 16 + random.below(random.pick([64, 256, 256, 1024, random.chance(0.05) ? 65_000 : 2_048]));
}
