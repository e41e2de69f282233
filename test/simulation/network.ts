import type { Random } from "../fuzz/random.ts";
import type { Plan } from "./plan.ts";
import type { Process, Timeline } from "./timeline.ts";

/** One end of a wire. */
export interface WireEnd {
  readonly process: Process;
  /** The wire is gone, as far as this end can tell. */
  readonly lost: () => void;
}

/** A connection between two processes: what is sent one way arrives in order, unless it is cut before. */
export interface Wire {
  /** From the end that opened it. */
  toService(act: () => void): void;
  /** To the end that opened it. */
  toClient(act: () => void): void;
  /** Both ends learn of it, each in its own time. */
  cut(): void;
  /** Both ends know already. */
  end(): void;
  readonly isCut: boolean;
}

/** How long it takes at most until an end learns that its wire is cut. */
const NOTICE_MS = 9_000;

/** Delays, and wires between processes. */
export class Network {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #wires = new Map<Process, Set<Wire>>();
  #isQuiet = false;

  constructor(timeline: Timeline, random: Random, plan: Plan) {
    this.#timeline = timeline;
    this.#random = random;
    this.#plan = plan;
  }

  /** From here on nothing is slow. */
  calmDown(): void {
    this.#isQuiet = true;
  }

  /** How long a message travels. */
  delay(): number {
    return !this.#isQuiet && this.#random.below(10) === 0 ? this.#random.below(this.#plan.slowMs) : 1 + this.#random.below(5);
  }

  /** Connects two processes that are up. */
  connect(client: WireEnd, service: WireEnd): Wire {
    const wire = this.#wireBetween(client, service);
    this.#wiresOf(client.process).add(wire);
    this.#wiresOf(service.process).add(wire);
    return wire;
  }

  /** Cuts all that a process was connected to. */
  cutAll(process: Process): void {
    for (const wire of [...this.#wiresOf(process)]) {
      wire.cut();
    }
  }

  /** The wires of a process. */
  of(process: Process): readonly Wire[] {
    return [...this.#wiresOf(process)];
  }

  #wireBetween(client: WireEnd, service: WireEnd): Wire {
    const timeline = this.#timeline;
    let cutAt = Number.POSITIVE_INFINITY;
    const [clientLife, serviceLife] = [client.process.life, service.process.life];
    let clientAt = 0;
    let serviceAt = 0;
    // What had arrived before the cut is read all the same, by a process that was paused meanwhile.
    const deliver = (at: number, to: Process, act: () => void): void =>
      timeline.at(at, to, () => {
        if (at <= cutAt) {
          act();
        }
      });
    const wire: Wire = {
      toService: (act) => {
        serviceAt = Math.max(serviceAt, timeline.now + this.delay());
        deliver(serviceAt, service.process, act);
      },
      toClient: (act) => {
        clientAt = Math.max(clientAt, timeline.now + this.delay());
        deliver(clientAt, client.process, act);
      },
      cut: () => {
        if (cutAt > timeline.now) {
          cutAt = timeline.now;
          wire.end();
          this.#tellLost(client, clientLife);
          this.#tellLost(service, serviceLife);
        }
      },
      end: () => {
        this.#wiresOf(client.process).delete(wire);
        this.#wiresOf(service.process).delete(wire);
      },
      get isCut() {
        return cutAt <= timeline.now;
      },
    };
    return wire;
  }

  /** Only the run of a process that had the wire learns of it. */
  #tellLost({ process, lost }: WireEnd, life: number): void {
    this.#timeline.after(this.#notice(), process, () => {
      if (process.life === life) {
        lost();
      }
    });
  }

  #notice(): number {
    return this.#isQuiet || this.#random.below(3) > 0 ? 1 + this.#random.below(20) : this.#random.below(NOTICE_MS);
  }

  #wiresOf(process: Process): Set<Wire> {
    const known = this.#wires.get(process);
    if (known !== undefined) {
      return known;
    }
    const wires = new Set<Wire>();
    this.#wires.set(process, wires);
    return wires;
  }
}
