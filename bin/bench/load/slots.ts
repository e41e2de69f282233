import type { LoadSocket } from "./web-socket.ts";
import type { MeasuredWindow } from "./window.ts";

/** Whatever has an answer: one frame in flight for each slot of a socket. */
export interface SlotTraffic {
  /** The whole frame that a slot sends. */
  readonly frame: (slot: number) => Buffer;
  /** The slot that a frame answers; undefined when it answers none. */
  readonly slotOf: (payload: Buffer) => number | undefined;
}

/** Keeps every slot of a socket busy until the window is over: sends all, and each again when it is answered, those of one piece in one piece. */
export function keepBusy(socket: LoadSocket, depth: number, { frame, slotOf }: SlotTraffic, window: MeasuredWindow): Promise<void> {
  const sentAt = new Float64Array(depth);
  let due: Buffer[] = [];
  let inFlight = depth;
  return new Promise((resolve, reject) => {
    const begin = (slot: number, now: number): void => {
      sentAt[slot] = now;
      due.push(frame(slot));
    };
    const flush = (): void => {
      if (due.length > 0) {
        socket.send(due.length === 1 ? (due[0] as Buffer) : Buffer.concat(due));
        due = [];
      }
    };
    socket.into({
      binary: (payload) => {
        const slot = slotOf(payload);
        if (slot === undefined) {
          return;
        }
        const now = performance.now();
        window.count(now - (sentAt[slot] ?? 0));
        if (window.isOver) {
          inFlight -= 1;
          if (inFlight === 0) {
            resolve();
          }
        } else {
          begin(slot, now);
        }
      },
      settled: flush,
      closed: (code) => reject(new Error(`a socket ended with ${code}`)),
    });
    const now = performance.now();
    for (let slot = 0; slot < depth; slot += 1) {
      begin(slot, now);
    }
    flush();
  });
}
