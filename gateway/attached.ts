import { type SallyportError, unavailable } from "../platform/errors.ts";
import type { CallOptions } from "../platform/rpc/client.ts";
import type { Push } from "../proto/gen/sallyport/relay/v1/relay.ts";
import { AckQueue } from "./ack-queue.ts";
import type { GatewayContext } from "./context.ts";
import { EventFlow } from "./event-flow.ts";
import type { Grant } from "./exchange.ts";
import type { Copy } from "./relay.ts";
import { retry } from "./retry.ts";

const ATTEMPT_MS = 5_000;

/** The socket that an attachment belongs to. */
export interface AttachedSocket {
  readonly id: number;
  readonly bufferedBytes: number;
  readonly isOpen: boolean;
  sendText(text: string): void;
  close(code: number): void;
  displaced(): void;
}

/** A copy that the socket is attached to. `stands`: it has said so. */
interface Place {
  readonly copy: Copy;
  readonly epoch: number;
  readonly stands: boolean;
}

/** The attachment of one chat socket to the chat copy that delivers to its account. */
export class Attached {
  readonly #context: GatewayContext;
  readonly #socket: AttachedSocket;
  readonly #grant: Grant;
  readonly #flow: EventFlow;
  readonly #acks: AckQueue;
  /** Counts the attempts to attach: a newer one makes the older give up. */
  #turn = 0;
  /** The newest place; pushes come from there only. */
  #at: Place | undefined;
  /** Older places: each is told to let go once a newer one stands. */
  #left: readonly Place[] = [];
  /** The first epoch: by it the socket is older or newer than others, however often it is attached again. 0 before there is one. */
  #rank = 0;
  #settling = false;

  constructor(context: GatewayContext, socket: AttachedSocket, grant: Grant) {
    this.#context = context;
    this.#socket = socket;
    this.#grant = grant;
    this.#acks = new AckQueue((ids) => this.#tellAcknowledged(ids), context.clock);
    this.#flow = new EventFlow({
      get bufferedBytes() {
        return socket.bufferedBytes;
      },
      send: (text) => {
        socket.sendText(text);
        context.events.eventPushed();
      },
      acknowledge: (ids) => this.#acks.add(ids),
      credit: (bytes) => this.#credit(bytes),
      displaced: () => {
        this.#leaveAll();
        socket.displaced();
      },
    });
  }

  /**
   * Claims the account's events at the copy that they are delivered from; tries until it has worked, another attempt began, or the socket is
   * gone. An older place goes on bringing events until the new one takes over.
   */
  async attach(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    const wanted = (): boolean => turn === this.#turn && this.#socket.isOpen && !this.#flow.isDisplaced;
    try {
      do {
        await retry(() => this.#attachOnce(wanted), wanted);
      } while (wanted() && this.#hasBetterPlace());
    } catch {
      // Refused, or no longer wanted: the next connection of a copy attaches again.
    }
  }

  /** A stream to a copy stands: moves there when it is the one for this account. */
  async copyConnected(copy: Copy): Promise<void> {
    if (!this.#flow.isDisplaced && this.#at?.copy !== copy && this.#pick() === copy) {
      await this.attach();
    }
  }

  /** A copy is about to stop: moves to the one that takes its place, if there is any. */
  async copyLeaving(copy: Copy): Promise<void> {
    if (!this.#flow.isDisplaced && this.#at?.copy === copy && this.#hasBetterPlace()) {
      await this.attach();
    }
  }

  /** A copy is lost, and with it every attachment there. */
  copyLost(copy: Copy): void {
    this.#left = this.#left.filter((place) => place.copy !== copy);
    if (this.#at?.copy === copy) {
      this.#at = undefined;
      void this.attach();
    }
  }

  /** A chat copy has pushed an event; others than the one attached to push what happens there, with the socket's epoch. */
  pushed({ epoch, event }: Push): void {
    if (event !== undefined) {
      this.#flow.push(epoch, event);
      this.#settleSoon();
    }
  }

  /** Another copy than the one attached to has stored or ended a message. */
  woken(): void {
    this.#at?.copy.relay.wake(this.#grant.accountId);
  }

  /** The client acknowledged messages in a frame. One that sends ids faster than they can be handed on is closed (4008). */
  acknowledge(messageIds: readonly string[]): void {
    this.#context.events.acknowledged(messageIds.length);
    if (!this.#acks.add(this.#flow.acknowledge(messageIds))) {
      this.#socket.close(4008);
    }
  }

  /** The socket has taken something of what waits for it. */
  drained(): void {
    this.#flow.flush();
    this.#flow.settleCredit();
  }

  /** The socket has closed. */
  detach(): void {
    this.#turn += 1;
    this.#acks.end();
    this.#leaveAll();
  }

  async #attachOnce(wanted: () => boolean): Promise<void> {
    const copy = this.#pick();
    // Without a stream, the next connection of a copy attaches.
    if (!copy.relay.isConnected || (this.#at?.copy === copy && this.#at.stands)) {
      return;
    }
    const connection = this.#socket.id;
    const known = this.#flow.beginAttach();
    const { epoch } = await copy.deliveries.attach({ connection, ...known }, this.#options());
    if (!wanted()) {
      this.#forget(copy, epoch);
      return;
    }
    const older = [...this.#left, ...(this.#at ? [this.#at] : [])];
    this.#left = older;
    // Pushes may come before the answer to Activate.
    this.#at = { copy, epoch, stands: false };
    this.#flow.attached(epoch);
    // The copy took these for in flight, and their acknowledgement may have found nothing there to forget.
    this.#acks.add(this.#flow.landed(known.inFlightMessageIds));
    this.#rank ||= epoch;
    const { displaced } = await copy.deliveries
      .activate({ connection, epoch, rank: this.#rank }, this.#options())
      .catch((error: SallyportError) => {
        // The copy has lost the attachment with the stream that brought it, or an older socket was attached again: a new epoch is worth a try.
        throw error.status === "FAILED_PRECONDITION" ? unavailable("the attachment was lost", "ATTACHMENT_LOST", error) : error;
      });
    if (displaced) {
      // The event that says so may have been lost.
      this.#flow.push(epoch, { kind: { $case: "displaced", value: {} } });
      return;
    }
    if (this.#at?.epoch === epoch) {
      this.#at = { copy, epoch, stands: true };
    }
    this.#leave(older);
  }

  /** What was pushed there in vain meanwhile, and has stayed in memory, is stored as the copy lets go: so that it is brought by the newer one. */
  #leave(places: readonly Place[]): void {
    const left = this.#left.filter((place) => places.includes(place));
    this.#left = this.#left.filter((place) => !places.includes(place));
    for (const { copy, epoch } of left) {
      this.#forget(copy, epoch);
    }
  }

  #leaveAll(): void {
    this.#left = [...this.#left, ...(this.#at ? [this.#at] : [])];
    this.#at = undefined;
    this.#leave(this.#left);
  }

  #hasBetterPlace(): boolean {
    const copy = this.#pick();
    return copy !== this.#at?.copy && copy.relay.isConnected;
  }

  #tellAcknowledged(messageIds: string[]): Promise<unknown> {
    return (this.#at?.copy ?? this.#pick()).deliveries.acknowledge({ messageIds }, this.#options());
  }

  #credit(bytes: number): void {
    if (this.#at !== undefined) {
      const { copy, epoch } = this.#at;
      copy.deliveries.credit({ connection: this.#socket.id, epoch, bytes }, this.#options()).catch(() => {
        // Lost with its stream; the next attachment starts with full credit.
      });
    }
  }

  /** One credit for all that a turn of the event loop has pushed. */
  #settleSoon(): void {
    if (!this.#settling) {
      this.#settling = true;
      setImmediate(() => {
        this.#settling = false;
        this.#flow.settleCredit();
      });
    }
  }

  #forget(copy: Copy, epoch: number): void {
    const request = { connection: this.#socket.id, epoch };
    this.#context.cleanup.add(() => (copy.relay.isConnected ? copy : this.#pick()).deliveries.detach(request, this.#options()));
  }

  #pick(): Copy {
    return this.#context.services.chat.pick(this.#grant.accountId);
  }

  #options(): CallOptions {
    const { accountId, sessionId } = this.#grant;
    return { deadline: this.#context.clock() + ATTEMPT_MS, caller: { accountId, sessionId, service: "chat" } };
  }
}
