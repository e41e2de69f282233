import type { Socket } from "node:net";
import { type Direction, isSwallowed, type ProxyMode } from "./proxy-mode.ts";

/** A piece of what goes one way, or its end, and when it is passed on. */
interface Held {
  readonly dueAt: number;
  readonly bytes: Buffer | undefined;
}

/** What goes one way through a proxied connection: passed on in order, at once or late, or swallowed. */
export class ProxiedWay {
  readonly #direction: Direction;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #swallowed: () => void;
  readonly #held: Held[] = [];
  #mode: ProxyMode;
  #timer: NodeJS.Timeout | undefined;

  /** `swallowed` is told when something is. */
  constructor(direction: Direction, from: Socket, to: Socket, mode: ProxyMode, swallowed: () => void) {
    this.#direction = direction;
    this.#from = from;
    this.#to = to;
    this.#mode = mode;
    this.#swallowed = swallowed;
    from.on("data", (bytes: Buffer) => this.#take(bytes));
    from.on("end", () => this.#take(undefined));
    to.on("drain", () => from.resume());
  }

  /** How many bytes are held up. */
  get heldBytes(): number {
    return this.#held.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
  }

  /** Goes on in another mode. What was held up is passed on before anything else. */
  setMode(mode: ProxyMode): void {
    this.#mode = mode;
    if (mode.kind !== "delay") {
      this.#passDue(Number.POSITIVE_INFINITY);
    }
  }

  /** Forgets what is held up. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#held.length = 0;
  }

  #take(bytes: Buffer | undefined): void {
    if (isSwallowed(this.#mode, this.#direction)) {
      this.#swallowed();
    } else if (this.#mode.kind === "delay") {
      this.#held.push({ dueAt: performance.now() + this.#mode.delayMs, bytes });
      this.#schedule();
    } else {
      this.#write(bytes);
    }
  }

  #schedule(): void {
    const [first] = this.#held;
    if (first !== undefined && this.#timer === undefined) {
      const waitMs = Math.max(0, first.dueAt - performance.now());
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#passDue(performance.now());
        this.#schedule();
      }, waitMs);
    }
  }

  #passDue(now: number): void {
    for (let first = this.#held[0]; first !== undefined && first.dueAt <= now; first = this.#held[0]) {
      this.#held.shift();
      this.#write(first.bytes);
    }
  }

  #write(bytes: Buffer | undefined): void {
    if (this.#to.destroyed) {
      return;
    }
    if (bytes === undefined) {
      this.#to.end();
    } else if (!this.#to.write(bytes)) {
      this.#from.pause();
    }
  }
}
