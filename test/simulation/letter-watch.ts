import type { SallyportError } from "../../platform/errors.ts";
import type { Accepted } from "../../services/chat/delivery/message.ts";
import type { Device } from "./device.ts";
import type { DeviceSocket } from "./device-socket.ts";
import type { OutgoingLetter } from "./outbox.ts";
import type { World } from "./world.ts";

/** What became of a letter, as far as everybody outside can tell. */
interface Fate {
  acceptedAt: number | undefined;
  /** When its sender first knew that it was delivered. */
  deliveredAt: number | undefined;
  /** Applications of the recipient that have kept it. */
  kept: boolean;
  /** When the client first knew that its acknowledgement was durable. */
  ackedAt: number | undefined;
  /** When the ledger said that it was delivered. */
  endedAt: number | undefined;
  /** Acknowledged on the socket that it came on last. */
  ackedInFrame: boolean;
  announced: number;
}

/** A message for somebody attached arrives within this time in a calm world. */
const PROMPT_MS = 3_000;

/** What is promised of messages. */
export class LetterWatch {
  readonly #world: World;
  readonly #fates = new Map<string, Fate>();
  readonly #lastSeen = new Map<string, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The sender has its OK for an attempt that began at a time. */
  accepted(outgoing: OutgoingLetter, accepted: Accepted, sentAt: number): void {
    const { letter, isOther } = outgoing;
    const fate = this.#fateOf(letter.id);
    if (isOther) {
      this.#fail("repeat-differs", `${letter.id} was accepted with another body`);
    }
    if (fate.acceptedAt !== undefined && fate.acceptedAt !== accepted.acceptedAt) {
      this.#fail("repeat-differs", `${letter.id} was accepted at ${fate.acceptedAt} and at ${accepted.acceptedAt}`);
    }
    if (fate.deliveredAt !== undefined && fate.deliveredAt <= sentAt && accepted.state === "stored") {
      this.#fail("repeat-differs", `${letter.id} was delivered, and stored afterwards`);
    }
    const isRepeat = fate.acceptedAt !== undefined;
    fate.acceptedAt = accepted.acceptedAt;
    if (accepted.state === "delivered") {
      fate.deliveredAt ??= this.#world.timeline.now;
    }
    this.requireKept(letter.id);
    if (this.#world.plan.isCalm && !isRepeat) {
      this.#expectPrompt(outgoing);
    }
  }

  /** The sender was told that its message is none. */
  refused({ letter, attempts, isOther }: OutgoingLetter, error: SallyportError): void {
    if (isOther) {
      return;
    }
    if (error.status === "ALREADY_EXISTS") {
      this.#fail("repeat-differs", `${letter.id} is said to be another message`);
    }
    const isKnown = this.#world.database.sends.has(letter.id) || this.#fates.get(letter.id)?.kept === true;
    if (attempts === 1 && isKnown) {
      this.#fail("refusal-took-id", `${letter.id} was refused, and is there`);
    }
  }

  /** Every accepted message is pending with its body, or its recipient has kept it. */
  requireKept(id: string): void {
    const { sends, inbox } = this.#world.database;
    const fate = this.#fates.get(id);
    if (fate?.acceptedAt !== undefined && !(sends.get(id)?.state === "delivered" || (sends.has(id) && inbox.has(id)))) {
      this.#fail("accepted-lost", `${id} is neither pending with its body nor delivered`);
    }
  }

  /** The ledger says that a message was delivered. */
  ended(id: string): void {
    const fate = this.#fateOf(id);
    fate.endedAt ??= this.#world.timeline.now;
    if (!fate.kept) {
      this.#fail("accepted-lost", `${id} ended as delivered, but nobody has kept it`);
    }
  }

  /** A sender is about to be told of a delivery. */
  announced(id: string): void {
    const fate = this.#fateOf(id);
    fate.announced += 1;
    if (fate.announced > 1) {
      this.#fail("announced-twice", `${id} was delivered twice`);
    }
  }

  /** A message has come to a client. */
  received(socket: DeviceSocket, id: string): void {
    const { device } = socket;
    const fate = this.#fateOf(id);
    this.#world.socketWatch.requireUndisplaced(socket);
    if (socket.received.has(id)) {
      this.#fail("pushed-twice", `${id} came twice on one socket`);
    }
    if (fate.ackedAt !== undefined && fate.ackedAt < socket.beganAt) {
      this.#fail("pushed-after-ack", `${id} came on a socket that began after its acknowledgement was confirmed`);
    }
    if (fate.endedAt !== undefined && fate.endedAt < socket.beganAt) {
      this.#fail("pushed-after-end", `${id} came on a socket that began after it was written down as delivered`);
    }
    if (!device.isThief) {
      if (!fate.kept) {
        this.#requireOrder(device, id);
      }
      fate.kept = true;
      fate.ackedInFrame = false;
    }
  }

  /** A client acknowledges these on the socket that they came on. */
  ackSent(ids: readonly string[]): void {
    for (const id of ids) {
      this.#fateOf(id).ackedInFrame = true;
    }
  }

  /** A call of the client that acknowledged these was answered OK. Of what nobody has accepted yet that says nothing. */
  ackConfirmed(ids: readonly string[]): void {
    for (const id of ids) {
      if (this.#world.database.sends.get(id)?.state === "delivered") {
        this.#fateOf(id).ackedAt ??= this.#world.timeline.now;
      }
    }
  }

  /** All that was accepted for some accounts has been brought. */
  requireBrought(accountIds: readonly string[]): void {
    for (const [id, { acceptedAt, kept }] of this.#fates) {
      const recipientId = this.#world.database.sends.get(id)?.recipientId ?? "";
      if (acceptedAt !== undefined && !kept && accountIds.includes(recipientId)) {
        this.#fail("never-brought", `${id} waits for ${recipientId}, which is attached`);
      }
    }
  }

  /** What was acknowledged in a frame is delivered. */
  requireEnded(): void {
    for (const [id, { acceptedAt, ackedInFrame }] of this.#fates) {
      if (acceptedAt !== undefined && ackedInFrame && this.#world.database.sends.get(id)?.state === "pending") {
        this.#fail("stuck", `${id} is acknowledged and still pending`);
      }
    }
  }

  #expectPrompt({ letter: { id, recipientId } }: OutgoingLetter): void {
    const { timeline, socketWatch } = this.#world;
    const soon = timeline.now + PROMPT_MS / 6;
    timeline.after(PROMPT_MS, undefined, () => {
      const since = socketWatch.listeningSince(recipientId);
      if (since !== undefined && since < soon && !this.#fateOf(id).kept) {
        this.#fail("brought-late", `${id} waits for ${recipientId}, which is attached since ${since}`);
      }
    });
  }

  #requireOrder(device: Device, id: string): void {
    const { plan } = this.#world;
    const outgoing = this.#world.letters.get(id);
    if (outgoing === undefined || !(plan.chatCopies === 1 || (plan.isCalm && !plan.isSplit))) {
      return;
    }
    const pair = `${outgoing.sender}>${device.accountId}`;
    const last = this.#lastSeen.get(pair) ?? -1;
    if (outgoing.place < last) {
      this.#fail("out-of-order", `${id} came after a later one of ${outgoing.sender}`);
    }
    this.#lastSeen.set(pair, outgoing.place);
  }

  #fateOf(id: string): Fate {
    const known = this.#fates.get(id);
    if (known !== undefined) {
      return known;
    }
    const fate = {
      acceptedAt: undefined,
      deliveredAt: undefined,
      kept: false,
      ackedAt: undefined,
      endedAt: undefined,
      ackedInFrame: false,
      announced: 0,
    };
    this.#fates.set(id, fate);
    return fate;
  }

  #fail(promise: string, text: string): never {
    return this.#world.verdict.fail(promise, text);
  }
}
