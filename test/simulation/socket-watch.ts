import type { PresenceState } from "../../services/chat/delivery/presence-rules.ts";
import type { DeviceSocket } from "./device-socket.ts";
import type { World } from "./world.ts";

/** Who changed a presence: who claimed an epoch, who took over, or the epoch whose end was told. */
export type PresenceChange = "claim" | "takeOver" | number;

/** How long a call to activate a socket may take effect. */
const ACTIVATION_MS = 5_000;

/** What is promised of who has the events of an account. */
export class SocketWatch {
  readonly #world: World;
  /** When a gateway found a socket still open, by account and epoch. */
  readonly #foundOpen = new Map<string, Map<number, { readonly socket: string; readonly at: number }>>();

  constructor(world: World) {
    this.#world = world;
  }

  requireUndisplaced(socket: DeviceSocket): void {
    if (socket.isDisplaced) {
      this.#fail("served-after-displacement", `${socket.device.process.name} gets events on a socket that was displaced`);
    }
  }

  /** A gateway is about to activate a socket that it has found open. */
  foundOpen(accountId: string, incarnation: string, connection: number, epoch: number): void {
    const known = this.#foundOpen.get(accountId) ?? new Map();
    known.set(epoch, { socket: `${incarnation}/${connection}`, at: this.#world.timeline.now });
    this.#foundOpen.set(accountId, known);
  }

  /** A client was told that a newer socket has the events. */
  displaced(socket: DeviceSocket): void {
    const { device, name } = socket;
    const found = [...(this.#foundOpen.get(device.accountId) ?? [])];
    const firstOf = (wanted: string): number => Math.min(...found.filter(([, one]) => one.socket === wanted).map(([epoch]) => epoch));
    if (!found.some(([, one]) => firstOf(one.socket) > firstOf(name))) {
      this.#fail("ghost-displacement", `${device.process.name} was displaced, but no newer socket was ever open`);
    }
  }

  /** The presence of an account was changed. */
  presenceWritten(accountId: string, before: PresenceState, after: PresenceState, by: PresenceChange): void {
    if (after.epoch < before.epoch || (by === "claim" && after.epoch === before.epoch)) {
      this.#fail("epoch-fell", `from ${before.epoch} to ${after.epoch}`);
    }
    if (typeof by === "number" && before.current?.epoch !== by) {
      this.#fail("place-taken-away", `the end of epoch ${by} gave up epoch ${before.current?.epoch}`);
    }
    if (by === "takeOver" && after.current !== undefined) {
      const { epoch } = after.current;
      if (before.current !== undefined && before.current.epoch >= epoch) {
        this.#fail("epoch-fell", `epoch ${epoch} took over from ${before.current.epoch}`);
      }
      const found = this.#foundOpen.get(accountId)?.get(epoch);
      if (found === undefined || this.#world.timeline.now >= found.at + ACTIVATION_MS) {
        this.#fail("ghost-displacement", `epoch ${epoch} took over, but its socket was last found open at ${found?.at}`);
      }
    }
  }

  /** When the current socket of an account was found open, if a client still listens on it. */
  listeningSince(accountId: string): number | undefined {
    const { database, devices } = this.#world;
    const found = this.#foundOpen.get(accountId)?.get(database.presence.get(accountId)?.current?.epoch ?? 0);
    const isListening = devices.some(({ sockets }) => sockets.some((one) => one.name === found?.socket && one.isListening));
    return isListening ? found?.at : undefined;
  }

  #fail(promise: string, text: string): never {
    return this.#world.verdict.fail(promise, text);
  }
}
