import type { Expulsion } from "./verdict.ts";

/** One WebSocket of an account, as its client saw it. Times in milliseconds. */
interface SeenSocket {
  readonly connection: number;
  readonly openedAt: number;
  exchangedAt?: number;
  endedAt?: number;
  isDisplaced: boolean;
}

/**
 * The sockets of all accounts, and which of them were told of a newer one that was not there. A newer socket that has ended counts for
 * `memoryMs` after its end, as the server may not have noticed; an older one only while it stands.
 */
export class SocketsSeen {
  readonly #memoryMs: number;
  readonly #byAccount = new Map<string, SeenSocket[]>();
  readonly #ghosts: Expulsion[] = [];

  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs;
  }

  /** Connections that were displaced by nobody. */
  get ghosts(): readonly Expulsion[] {
    return this.#ghosts;
  }

  /** A connection of an account opens a socket. The result is told what becomes of it. */
  open(account: string, connection: number, openedAt: number): SocketSighting {
    const socket: SeenSocket = { connection, openedAt, isDisplaced: false };
    const sockets = this.#byAccount.get(account) ?? [];
    sockets.push(socket);
    this.#byAccount.set(account, sockets);
    return {
      exchanged: (at) => {
        socket.exchangedAt = at;
      },
      displaced: (at) => {
        if (!socket.isDisplaced && socket.endedAt === undefined) {
          socket.isDisplaced = true;
          this.#judge(account, socket, sockets, at);
        }
      },
      ended: (at) => {
        socket.endedAt ??= at;
      },
    };
  }

  #judge(account: string, socket: SeenSocket, sockets: readonly SeenSocket[], at: number): void {
    const others = sockets.filter((other) => other !== socket && other.connection !== socket.connection);
    const standing = others.filter(({ exchangedAt, endedAt }) => exchangedAt !== undefined && (endedAt === undefined || endedAt >= at));
    if (others.some((other) => this.#mayBeNewer(other, socket) && (other.endedAt ?? at) >= at - this.#memoryMs)) {
      return;
    }
    const reason = standing.length > 0 ? "displaced by an older connection" : "displaced, and no newer connection is there";
    this.#ghosts.push({ account, reason });
  }

  /** Two that exchange at the same time may attach in either order. */
  #mayBeNewer(other: SeenSocket, socket: SeenSocket): boolean {
    return other.openedAt >= socket.openedAt || other.exchangedAt === undefined || other.exchangedAt >= socket.openedAt;
  }
}

/** What becomes of a socket, told with the time in milliseconds. */
export interface SocketSighting {
  exchanged(at: number): void;
  displaced(at: number): void;
  ended(at: number): void;
}
