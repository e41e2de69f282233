import type { GatewayPeer } from "../../platform/rpc/call.ts";
import type { AccountCopy } from "./account-copy.ts";
import type { ChatCopy } from "./chat-copy.ts";
import { GatewaySocket } from "./gateway-socket.ts";
import type { Wire } from "./network.ts";
import { Relay, type RelayGateway } from "./relay.ts";
import { Process, type Task } from "./timeline.ts";
import type { World } from "./world.ts";

const CLEANUP_MS = 500;
/** As gateway/hub.ts: how long an ended session is remembered. */
const REMEMBER_REVOKED_MS = 30_000;

/** A gateway: its sockets, and a stream to every copy of the services. */
export class GatewayModel implements RelayGateway<ChatCopy> {
  readonly world: World;
  readonly process: Process;
  readonly #index: number;
  incarnation = "";
  readonly sockets: Map<number, GatewaySocket> = new Map();
  #chats: readonly Relay<ChatCopy>[] = [];
  #accounts: readonly Relay<AccountCopy>[] = [];
  readonly #revoked = new Map<string, number>();
  #lastId = 0;

  constructor(world: World, index: number) {
    this.world = world;
    this.#index = index;
    this.process = new Process(`gateway ${index}`);
  }

  /** Begins a run of the process. */
  start(): void {
    this.process.isUp = true;
    this.incarnation = `g${this.#index}.${this.process.life}`;
    this.sockets.clear();
    this.#revoked.clear();
    this.#lastId = 0;
    const { chats, accounts } = this.world;
    this.#chats = chats.map((copy) => new Relay(this.world, this, copy));
    const listener = { ...inert, process: this.process, incarnation: this.incarnation, revoked: (id: string) => this.revoked(id) };
    this.#accounts = accounts.map((copy) => new Relay(this.world, listener, copy));
    for (const relay of [...this.#chats, ...this.#accounts]) {
      relay.open();
    }
  }

  /** A client has opened a socket. */
  accept(wire: Wire): GatewaySocket {
    this.#lastId += 1;
    const socket = new GatewaySocket(this, wire, this.#lastId);
    this.sockets.set(socket.id, socket);
    return socket;
  }

  /** The copy that serves an account: the first of its ranking that is connected. */
  pickChat(accountId: string): Relay<ChatCopy> {
    const { isSplit } = this.world.plan;
    return pick(this.#chats, isSplit ? this.#index + Number(accountId.slice(1)) : Number(accountId.slice(1)));
  }

  /** The copy that delivers to an account: the same on every gateway. */
  pickDelivery(accountId: string): Relay<ChatCopy> {
    return pick(this.#chats, Number(accountId.slice(1)));
  }

  pickAccount(key: number): Relay<AccountCopy> {
    return pick(this.#accounts, key);
  }

  connected(relay: Relay<ChatCopy>): void {
    for (const socket of [...this.sockets.values()]) {
      socket.attached?.copyConnected(relay);
    }
  }

  disconnected(relay: Relay<ChatCopy>): void {
    for (const socket of [...this.sockets.values()]) {
      socket.attached?.copyLost(relay);
    }
  }

  pushed(connection: number, epoch: number, event: Parameters<GatewayPeer["push"]>[2]): void {
    this.sockets.get(connection)?.attached?.pushed(epoch, event);
  }

  woken(connection: number): void {
    this.sockets.get(connection)?.attached?.woken();
  }

  /** A session has ended: its sockets are closed. */
  revoked(sessionId: string): void {
    this.#revoked.set(sessionId, this.world.timeline.now);
    for (const socket of [...this.sockets.values()]) {
      if (socket.isOfSession(Number(sessionId))) {
        socket.close(4401);
      }
    }
  }

  /** Whether a session ended a moment ago. */
  hasJustEnded(sessionId: number): boolean {
    const at = this.#revoked.get(`${sessionId}`);
    return at !== undefined && this.world.timeline.now - at < REMEMBER_REVOKED_MS;
  }

  /** As gateway/cleanup.ts: tells a service something until it has heard it. */
  cleanUp(task: () => Task<unknown>): void {
    const { timeline } = this.world;
    timeline.spawn(task(), undefined, () => timeline.after(CLEANUP_MS, this.process, () => this.cleanUp(task)));
  }
}

const inert = {
  connected: (): void => undefined,
  disconnected: (): void => undefined,
  pushed: (): void => undefined,
  woken: (): void => undefined,
};

function pick<S extends { isConnected: boolean }>(copies: readonly S[], key: number): S {
  for (let offset = 0; offset < copies.length; offset += 1) {
    const copy = copies[(key + offset) % copies.length] as S;
    if (copy.isConnected) {
      return copy;
    }
  }
  return copies[key % copies.length] as S;
}
