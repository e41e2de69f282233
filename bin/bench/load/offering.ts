import type { SlotTraffic } from "./slots.ts";
import type { LoadSocket } from "./web-socket.ts";
import type { MeasuredWindow } from "./window.ts";

const TICK_MS = 1;

/**
 * Sends at a fixed rate whatever is answered (an open loop): each message has a time at which it is meant to leave, and its latency counts
 * from there, so that a server that stalls is charged for all that it kept waiting.
 */
export async function offer(
  sockets: readonly LoadSocket[],
  traffics: readonly SlotTraffic[],
  { slots, perSecond }: { readonly slots: number; readonly perSecond: number },
  window: MeasuredWindow,
): Promise<void> {
  const lanes = sockets.map((socket, index) => new Lane(socket, traffics[index] as SlotTraffic, slots, window));
  const startedAt = performance.now();
  let offered = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now();
      for (; offered < ((now - startedAt) / 1000) * perSecond; offered += 1) {
        lanes[offered % lanes.length]?.offer(startedAt + (offered / perSecond) * 1000);
      }
      if (window.isOver) {
        clearInterval(timer);
        resolve();
      }
    }, TICK_MS);
  });
  for (const lane of lanes) {
    lane.finish();
  }
  await Promise.all(lanes.map((lane) => lane.settled));
}

/** One socket, its free slots, and what is meant to have left on it already. */
class Lane {
  readonly #socket: LoadSocket;
  readonly #traffic: SlotTraffic;
  readonly #free: number[];
  readonly #slots: number;
  readonly #meantAt: Float64Array;
  readonly #late: number[] = [];
  #isOffered = false;
  #settle: () => void = () => undefined;
  /** Resolves when no more is offered and everything was answered; rejects when the socket ends. */
  readonly settled: Promise<void>;

  constructor(socket: LoadSocket, traffic: SlotTraffic, slots: number, window: MeasuredWindow) {
    this.#socket = socket;
    this.#traffic = traffic;
    this.#slots = slots;
    this.#free = Array.from({ length: slots }, (_, slot) => slot);
    this.#meantAt = new Float64Array(slots);
    this.settled = new Promise((resolve, reject) => {
      this.#settle = resolve;
      socket.into({
        binary: (payload) => {
          const slot = traffic.slotOf(payload);
          if (slot !== undefined) {
            window.countMeant(this.#meantAt[slot] ?? 0, performance.now());
            this.#free.push(slot);
          }
        },
        settled: () => this.#sendLate(),
        closed: (code) => reject(new Error(`a socket ended with ${code}`)),
      });
    });
    this.settled.catch(() => undefined);
  }

  offer(meantAt: number): void {
    this.#late.push(meantAt);
    this.#sendLate();
  }

  /** Nothing more is offered. */
  finish(): void {
    this.#isOffered = true;
    this.#sendLate();
  }

  #sendLate(): void {
    while (this.#late.length > 0 && this.#free.length > 0) {
      const slot = this.#free.pop() as number;
      this.#meantAt[slot] = this.#late.shift() as number;
      this.#socket.send(Buffer.from(this.#traffic.frame(slot)));
    }
    if (this.#isOffered && this.#free.length === this.#slots) {
      this.#settle();
    }
  }
}
