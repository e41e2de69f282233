import type { Device } from "./device.ts";
import type { Letter, Outcome } from "./frames.ts";

/** A letter on its way, as its sender knows it. */
export interface OutgoingLetter {
  readonly letter: Letter;
  /** The device that sends it, and the letter's place among all of that device. */
  readonly sender: string;
  readonly place: number;
  /** It bears the id of a letter that was accepted with another body. */
  readonly isOther: boolean;
  /** How often it was sent. */
  attempts: number;
  /** Answered for good; it may be sent again all the same. */
  isSettled: boolean;
}

const TIMEOUT_MS = 10_000;
const RETRY_MS = 300;

/** What a device has to send, on its disk: one letter at a time, each until it is answered for good. */
export class Outbox {
  readonly #device: Device;
  readonly #waiting: OutgoingLetter[] = [];
  /** Counts attempts: the answer or the time-out of an older one starts nothing. */
  #turn = 0;
  #isBusy = false;

  constructor(device: Device) {
    this.#device = device;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(outgoing: OutgoingLetter): void {
    this.#waiting.push(outgoing);
    this.pump();
  }

  /** The device has a socket, or a new one: what was under way is sent again. */
  restart(): void {
    this.#isBusy = false;
    this.#turn += 1;
    this.pump();
  }

  pump(): void {
    const { world, process, newest } = this.#device;
    const [first] = this.#waiting;
    if (this.#isBusy || first === undefined || newest?.isOpen !== true) {
      return;
    }
    this.#isBusy = true;
    this.#turn += 1;
    const turn = this.#turn;
    first.attempts += 1;
    const sentAt = world.timeline.now;
    world.timeline.log?.(`${process.name} sends ${first.letter.id} (attempt ${first.attempts})`);
    newest.send({ kind: "send", letter: first.letter, answered: (outcome) => this.#answered(first, turn, sentAt, outcome) });
    world.timeline.after(TIMEOUT_MS, process, () => this.#goOn(turn, false));
  }

  #answered(outgoing: OutgoingLetter, turn: number, sentAt: number, outcome: Outcome): void {
    const { world, process } = this.#device;
    const { letterWatch, timeline } = world;
    if (outcome.kind === "accepted") {
      timeline.log?.(`${process.name} has OK for ${outgoing.letter.id}: ${outcome.accepted.state} at ${outcome.accepted.acceptedAt}`);
      letterWatch.accepted(outgoing, outcome.accepted, sentAt);
      outgoing.isSettled = true;
      this.#goOn(turn, true);
    } else if (outcome.kind === "failed") {
      const { error } = outcome;
      timeline.log?.(`${process.name} has ${error.reason} for ${outgoing.letter.id}`);
      const mayPass = error.status === "UNAVAILABLE" || error.status === "DEADLINE_EXCEEDED";
      if (mayPass) {
        timeline.after(RETRY_MS + world.random.below(1_000), process, () => this.#goOn(turn, false));
        return;
      }
      letterWatch.refused(outgoing, error);
      this.#goOn(turn, true);
    }
  }

  #goOn(turn: number, isDone: boolean): void {
    if (turn === this.#turn && this.#isBusy) {
      this.#isBusy = false;
      if (isDone) {
        this.#waiting.shift();
      }
      this.pump();
    }
  }
}
