import type { Clock } from "../platform/clock.ts";
import type { Connection } from "./connection.ts";
import { spreadEvenly } from "./spread.ts";

/** How long an ended session is remembered, so that a grant that was under way meanwhile is refused. */
const REMEMBER_REVOKED_MS = 30_000;

/** The sockets of a gateway: by number, and by the sessions whose tokens they exchanged. */
export class Hub {
  readonly #clock: Clock;
  readonly #connections = new Map<number, Connection>();
  readonly #bySession = new Map<string, Set<Connection>>();
  readonly #revoked = new Map<string, number>();
  #lastId = 0;
  #draining = false;
  #whenEmpty: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#connections.size;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** A number that no other socket of this incarnation has. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  add(connection: Connection): void {
    this.#connections.set(connection.id, connection);
  }

  find(id: number): Connection | undefined {
    return this.#connections.get(id);
  }

  /** All sockets at this moment. */
  all(): readonly Connection[] {
    return [...this.#connections.values()];
  }

  /** Ties a socket to a session; false when the session has just ended. */
  join(sessionId: string, connection: Connection): boolean {
    if (this.#revoked.has(sessionId)) {
      return false;
    }
    const members = this.#bySession.get(sessionId);
    if (members === undefined) {
      this.#bySession.set(sessionId, new Set([connection]));
    } else {
      members.add(connection);
    }
    return true;
  }

  remove(connection: Connection, sessionIds: readonly string[]): void {
    this.#connections.delete(connection.id);
    for (const sessionId of sessionIds) {
      const members = this.#bySession.get(sessionId);
      members?.delete(connection);
      if (members?.size === 0) {
        this.#bySession.delete(sessionId);
      }
    }
    if (this.#connections.size === 0) {
      this.#whenEmpty?.();
    }
  }

  /** Closes every socket of a session that has ended (4401); answers how many there were. Repeating it is fine. */
  revoke(sessionId: string): number {
    this.#revoked.set(sessionId, this.#clock());
    this.#forgetOld();
    const members = [...(this.#bySession.get(sessionId) ?? [])];
    for (const connection of members) {
      connection.close(4401);
    }
    return members.length;
  }

  /** No socket is to be added any more. */
  startDraining(): void {
    this.#draining = true;
  }

  /** Closes the sockets that are still exchanging, and tells every other to go, spread evenly over a window; resolves when all are gone. */
  async drain(windowMs: number, random: () => number): Promise<void> {
    const now = this.#clock();
    const open: Connection[] = [];
    for (const connection of this.all()) {
      if (connection.isExchanged) {
        open.push(connection);
      } else {
        connection.close(4001);
      }
    }
    const delays = spreadEvenly(open.length, windowMs, random);
    open.forEach((connection, index) => {
      connection.drain(now + (delays[index] ?? 0), now + windowMs);
    });
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#whenEmpty = resolve;
      });
    }
  }

  /** Closes what is left of the sockets that were told to go. */
  closeAll(): void {
    for (const connection of this.all()) {
      connection.close(4001);
    }
  }

  #forgetOld(): void {
    const oldest = this.#clock() - REMEMBER_REVOKED_MS;
    for (const [sessionId, at] of this.#revoked) {
      if (at > oldest) {
        break;
      }
      this.#revoked.delete(sessionId);
    }
  }
}
