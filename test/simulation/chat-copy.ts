import type { GatewayPeer } from "../../platform/rpc/call.ts";
import { HybridClock } from "../../services/chat/delivery/hybrid-clock.ts";
import type { ChatMessage } from "../../services/chat/delivery/message.ts";
import { ActorModel } from "./actor-model.ts";
import { type ActivatedSocket, activate, attach, detach } from "./attaching.ts";
import { CustodyModel } from "./custody-model.ts";
import type { Letter, Outcome } from "./frames.ts";
import { healOnce, lapseOnce } from "./heal-round.ts";
import { MessageStore } from "./message-store.ts";
import { PresenceStore } from "./presence-store.ts";
import type { Call, RelayService } from "./relay.ts";
import { SendingModel } from "./sending-model.ts";
import { Process, type Task } from "./timeline.ts";
import { WakesModel } from "./wakes-model.ts";
import type { World } from "./world.ts";

const HEAL_MS = 5_000;

/** What a new attachment is told of its socket. */
export interface KnownOfSocket {
  readonly inFlightMessageIds: readonly string[];
  readonly queueEmptied: boolean;
}

/** A copy of the chat service: the inboxes that something goes on in, and the gateways that are connected. */
export class ChatCopy implements RelayService {
  readonly world: World;
  readonly process: Process;
  readonly store: MessageStore;
  readonly presence: PresenceStore;
  hybridClock: HybridClock;
  custody: CustodyModel;
  readonly #actors = new Map<string, ActorModel>();
  readonly #gateways = new Set<GatewayPeer>();
  readonly #byIncarnation = new Map<string, GatewayPeer>();
  wakes: WakesModel;
  #sending: SendingModel;

  constructor(world: World, index: number) {
    this.world = world;
    this.process = new Process(`chat ${index}`);
    this.store = new MessageStore(world, this.process);
    this.presence = new PresenceStore(world, this.process);
    this.hybridClock = new HybridClock(() => world.timeline.now);
    this.custody = this.#newCustody();
    this.wakes = new WakesModel(this);
    this.#sending = new SendingModel(this);
  }

  /** Begins a run of the process. */
  start(): void {
    const { timeline, random } = this.world;
    this.process.isUp = true;
    this.#actors.clear();
    this.#gateways.clear();
    this.#byIncarnation.clear();
    this.hybridClock = new HybridClock(() => timeline.now);
    this.custody = this.#newCustody();
    this.wakes = new WakesModel(this);
    this.#sending = new SendingModel(this);
    timeline.after(random.below(HEAL_MS), this.process, () => this.#goRound(new Map()));
  }

  /** How many inboxes are remembered. */
  get size(): number {
    return this.#actors.size;
  }

  of(accountId: string): ActorModel {
    const known = this.#actors.get(accountId);
    if (known !== undefined) {
      return known;
    }
    const actor = new ActorModel(this.world, this.process, this.custody, accountId, (one) => {
      if (this.#actors.get(accountId) === one) {
        this.#actors.delete(accountId);
      }
    });
    this.#actors.set(accountId, actor);
    return actor;
  }

  find(accountId: string): ActorModel | undefined {
    return this.#actors.get(accountId);
  }

  /** This run of the process. */
  get name(): string {
    return `${this.process.name}.${this.process.life}`;
  }

  /** The inboxes of sockets that are attached and not activated. */
  awaiting(): readonly ActorModel[] {
    return [...this.#actors.values()].filter(({ state }) => state.candidates.size > 0);
  }

  /** The inboxes that a socket has the events of. */
  attached(): readonly ActorModel[] {
    return [...this.#actors.values()].filter(({ state }) => state.current !== undefined);
  }

  isConnected(gateway: GatewayPeer): boolean {
    return this.#gateways.has(gateway);
  }

  gateway(incarnation: string): GatewayPeer | undefined {
    return this.#byIncarnation.get(incarnation);
  }

  gatewayJoined(gateway: GatewayPeer): void {
    this.#gateways.add(gateway);
    this.#byIncarnation.set(gateway.incarnation, gateway);
  }

  gatewayLeft(gateway: GatewayPeer): void {
    this.#gateways.delete(gateway);
    if (this.#byIncarnation.get(gateway.incarnation) === gateway) {
      this.#byIncarnation.delete(gateway.incarnation);
    }
    for (const actor of [...this.#actors.values()]) {
      actor.handle({ kind: "gatewayLeft", gateway });
    }
  }

  woken(accountId: string): void {
    if (this.world.flaw !== "loses-wakes") {
      this.#actors.get(accountId)?.handle({ kind: "woken" });
    }
  }

  credit(accountId: string, connection: number, epoch: number, bytes: number): void {
    this.#actors.get(accountId)?.handle({ kind: "credited", connection, epoch, bytes });
  }

  attach(call: Call, connection: number, known: KnownOfSocket): Task<number> {
    return attach(this, call, connection, known);
  }

  activate(call: Call, socket: ActivatedSocket): Task<boolean> {
    return activate(this, call, socket);
  }

  detach(call: Call, connection: number, epoch: number): Task<void> {
    return detach(this, call, connection, epoch);
  }

  *acknowledge({ accountId }: Call, ids: readonly string[]): Task<Outcome> {
    const actor = this.of(accountId);
    yield* actor.acknowledge(ids);
    if (actor.state.current === undefined) {
      this.world.timeline.spawn(this.wakes.send(actor));
    }
    return { kind: "done" };
  }

  *send(call: Call, letter: Letter): Task<Outcome> {
    return { kind: "accepted", accepted: yield* this.#sending.send(call, letter) };
  }

  /** What the rounds of services/chat/server.ts do every few seconds. */
  #goRound(seen: ReadonlyMap<string, number>): void {
    const { timeline, flaw } = this.world;
    const young = lapseOnce(this, seen);
    const again = (): void => timeline.after(HEAL_MS, this.process, () => this.#goRound(young));
    if (flaw === "loses-wakes") {
      again();
    } else {
      timeline.spawn(healOnce(this), again, again);
    }
  }

  #newCustody(): CustodyModel {
    const { process, store, hybridClock } = this;
    return new CustodyModel(this.world, {
      process,
      store,
      hybridClock,
      delivered: (messages) => {
        for (const message of messages) {
          this.#announce(message);
        }
      },
    });
  }

  /** As services/chat/delivery/announcer.ts: to the sender's socket, if it can be reached from here. */
  #announce(message: ChatMessage): void {
    this.world.letterWatch.announced(message.id);
    const { senderId } = message;
    const current = this.#actors.get(senderId)?.state.current;
    if (current !== undefined) {
      current.gateway.push(current.connection, current.epoch, deliveredEvent(message));
      return;
    }
    this.world.timeline.spawn(
      this.presence.find(senderId),
      (holder) => holder && this.gateway(holder.incarnation)?.push(holder.connection, holder.epoch, deliveredEvent(message)),
      () => undefined,
    );
  }
}

type PushedEvent = Parameters<GatewayPeer["push"]>[2];

function deliveredEvent({ id, recipientId }: ChatMessage): PushedEvent {
  return {
    kind: { $case: "delivered", value: { messageId: id, clientMessageId: id, recipientAccountId: recipientId, deliveredAt: undefined } },
  };
}
