import { EventFlow } from "../../gateway/event-flow.ts";
import { eventText } from "../../gateway/event-text.ts";
import type { SallyportError } from "../../platform/errors.ts";
import type { Event } from "../../proto/gen/sallyport/gateway/v1/events.ts";
import { DISPLACED } from "./actor-model.ts";
import type { ChatCopy } from "./chat-copy.ts";
import { ATTACHMENT_LOST } from "./failures.ts";
import type { GatewayModel } from "./gateway-model.ts";
import type { GatewaySocket } from "./gateway-socket.ts";
import type { Relay } from "./relay.ts";
import { retrying } from "./retrying.ts";
import type { Task } from "./timeline.ts";
import type { World } from "./world.ts";

const ATTEMPT_MS = 5_000;
/** As gateway/ack-queue.ts: how long after the socket's end its acknowledgements are handed on. */
const LINGER_MS = 30_000;

/** A copy that the socket is attached to. `stands`: it has said so. */
interface Place {
  readonly relay: Relay<ChatCopy>;
  readonly epoch: number;
  readonly stands: boolean;
}

/** As gateway/attached.ts, around the real event flow: the attachment of one socket to the copy that delivers to its account. */
export class AttachedModel {
  readonly #gateway: GatewayModel;
  readonly #socket: GatewaySocket;
  readonly #accountId: string;
  readonly #flow: EventFlow;
  readonly #acks = new Set<string>();
  #isTelling = false;
  #giveUpAt = Number.POSITIVE_INFINITY;
  #turn = 0;
  #at: Place | undefined;
  #left: readonly Place[] = [];
  #uncredited = 0;
  #rank = 0;

  constructor(gateway: GatewayModel, socket: GatewaySocket, accountId: string) {
    this.#gateway = gateway;
    this.#socket = socket;
    this.#accountId = accountId;
    this.#flow = new EventFlow({
      bufferedBytes: 0,
      send: (text) => socket.send({ kind: "text", text }),
      acknowledge: (ids) => this.#tell(ids),
      credit: (bytes) => {
        this.#uncredited += bytes;
      },
      displaced: () => {
        this.#leaveAll();
        socket.displaced();
      },
    });
  }

  get #world(): World {
    return this.#gateway.world;
  }

  /** Claims the account's events at the copy that they are delivered from. */
  attach(): void {
    this.#turn += 1;
    const turn = this.#turn;
    const wanted = (): boolean => turn === this.#turn && this.#socket.isOpen && !this.#flow.isDisplaced;
    // Refused, or no longer wanted: the next connection of a copy attaches again.
    this.#world.timeline.spawn(this.#attachAnywhere(wanted), undefined, () => undefined);
  }

  copyConnected(relay: Relay<ChatCopy>): void {
    if (!this.#flow.isDisplaced && this.#at?.relay !== relay && this.#pick() === relay) {
      this.attach();
    }
  }

  copyLost(relay: Relay<ChatCopy>): void {
    this.#left = this.#left.filter((place) => place.relay !== relay);
    if (this.#at?.relay === relay) {
      this.#at = undefined;
      this.attach();
    }
  }

  pushed(epoch: number, event: Event): void {
    if (this.#world.flaw === "pushes-without-epoch" && epoch !== this.#at?.epoch) {
      this.#socket.send({ kind: "text", text: eventText(event) });
    }
    this.#flow.push(epoch, event);
    this.#flow.settleCredit();
    if (this.#uncredited > 0 && this.#at !== undefined) {
      const { relay, epoch: current } = this.#at;
      const [bytes, connection] = [this.#uncredited, this.#socket.id];
      this.#uncredited = 0;
      relay.tell((chat) => chat.credit(this.#accountId, connection, current, bytes));
    }
  }

  woken(): void {
    this.#at?.relay.tell((chat) => chat.woken(this.#accountId));
  }

  acknowledge(ids: readonly string[]): void {
    this.#tell(this.#flow.acknowledge(ids));
  }

  detach(): void {
    this.#turn += 1;
    this.#giveUpAt = this.#world.timeline.now + LINGER_MS;
    this.#leaveAll();
  }

  *#attachAnywhere(wanted: () => boolean): Task<void> {
    do {
      yield* retrying(this.#world, this.#gateway.process, () => this.#attachOnce(wanted), wanted);
    } while (wanted() && this.#hasBetterPlace());
  }

  *#attachOnce(wanted: () => boolean): Task<void> {
    const relay = this.#pick();
    if (!relay.isConnected || (this.#at?.relay === relay && this.#at.stands)) {
      return;
    }
    const { timeline, socketWatch, flaw } = this.#world;
    const { id: connection } = this.#socket;
    const known = this.#flow.beginAttach();
    const epoch = yield* relay.call(this.#accountId, timeline.now + ATTEMPT_MS, (call) => relay.service.attach(call, connection, known));
    if (!wanted() && flaw !== "activates-closed-sockets") {
      this.#forget(relay, epoch);
      return;
    }
    if (this.#at !== undefined) {
      this.#left = [...this.#left, this.#at];
    }
    this.#at = { relay, epoch, stands: false };
    this.#flow.attached(epoch);
    this.#tell(this.#flow.landed(known.inFlightMessageIds));
    if (this.#socket.isOpen) {
      socketWatch.foundOpen(this.#accountId, this.#gateway.incarnation, connection, epoch);
    }
    this.#rank ||= epoch;
    const socket = { connection, epoch, rank: this.#rank };
    let isDisplaced: boolean;
    try {
      isDisplaced = yield* relay.call(this.#accountId, timeline.now + ATTEMPT_MS, (call) => relay.service.activate(call, socket));
    } catch (error) {
      throw (error as SallyportError).status === "FAILED_PRECONDITION" ? ATTACHMENT_LOST : error;
    }
    if (isDisplaced) {
      this.#flow.push(epoch, DISPLACED);
      return;
    }
    if (this.#at?.epoch === epoch) {
      this.#at = { relay, epoch, stands: true };
    }
    this.#leaveOlder(epoch);
  }

  #leaveOlder(than: number): void {
    const older = this.#left.filter(({ epoch }) => epoch < than);
    this.#left = this.#left.filter(({ epoch }) => epoch >= than);
    for (const { relay, epoch } of older) {
      this.#forget(relay, epoch);
    }
  }

  #leaveAll(): void {
    if (this.#at !== undefined) {
      this.#left = [...this.#left, this.#at];
      this.#at = undefined;
    }
    this.#leaveOlder(Number.POSITIVE_INFINITY);
  }

  #hasBetterPlace(): boolean {
    const relay = this.#pick();
    return relay !== this.#at?.relay && relay.isConnected;
  }

  #tell(ids: readonly string[]): void {
    for (const id of ids) {
      this.#acks.add(id);
    }
    if (!this.#isTelling && this.#acks.size > 0) {
      this.#isTelling = true;
      this.#world.timeline.spawn(this.#tellAll());
    }
  }

  *#tellAll(): Task<void> {
    const { timeline } = this.#world;
    const wanted = (): boolean => timeline.now < this.#giveUpAt;
    while (this.#acks.size > 0 && wanted()) {
      const ids = [...this.#acks];
      this.#acks.clear();
      const attempt = (): Task<unknown> => {
        const relay = this.#at?.relay ?? this.#pick();
        return relay.call(this.#accountId, timeline.now + ATTEMPT_MS, (call) => relay.service.acknowledge(call, ids));
      };
      try {
        yield* retrying(this.#world, this.#gateway.process, attempt, wanted);
      } catch {
        // The messages come again, with the next socket.
      }
    }
    this.#isTelling = false;
  }

  #forget(relay: Relay<ChatCopy>, epoch: number): void {
    const { id: connection } = this.#socket;
    this.#gateway.cleanUp(() => {
      const to = relay.isConnected ? relay : this.#pick();
      return to.call(this.#accountId, this.#world.timeline.now + ATTEMPT_MS, (call) => to.service.detach(call, connection, epoch));
    });
  }

  #pick(): Relay<ChatCopy> {
    return this.#gateway.pickDelivery(this.#accountId);
  }
}
