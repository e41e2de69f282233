import type { SallyportError } from "../../platform/errors.ts";
import type { Accepted } from "../../services/chat/delivery/message.ts";
import type { PresenceState } from "../../services/chat/delivery/presence-rules.ts";
import type { Family } from "../../services/account/tokens/family.ts";
import type { SessionRow } from "./database.ts";
import type { Device } from "./device.ts";
import type { DeviceSocket } from "./device-socket.ts";
import type { OutgoingLetter } from "./outbox.ts";
import type { Token } from "./tokens.ts";
import type { World } from "./world.ts";

/** What a history showed to be wrong. */
export class Violation extends Error {
  /** In kebab-case: which promise was broken. */
  readonly promise: string;

  constructor(promise: string, text: string) {
    super(`${promise}: ${text}`);
    this.promise = promise;
  }
}

/** What became of a letter, as far as everybody outside can tell. */
interface Fate {
  acceptedAt: number | undefined;
  wasDelivered: boolean;
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
/** How long a call to activate a socket may take effect. */
const ACTIVATION_MS = 5_000;

/** Sees everything, and says at once what must not be. */
export class Oracle {
  /** The first thing that was wrong. */
  violation: Violation | undefined;
  readonly #world: World;
  readonly #fates = new Map<string, Fate>();
  /** When a gateway found a socket still open, by account and epoch. */
  readonly #foundOpen = new Map<string, Map<number, { readonly socket: string; readonly at: number }>>();
  readonly #lastSeen = new Map<string, number>();
  readonly #successors = new Map<Token, Token>();
  /** Sessions that a thief has presented a token of. */
  readonly #touched = new Set<number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The sender has its OK. */
  accepted(outgoing: OutgoingLetter, accepted: Accepted, isRepeat: boolean): void {
    const { letter, isOther } = outgoing;
    const fate = this.#fateOf(letter.id);
    if (isOther) {
      this.#fail("repeat-differs", `${letter.id} was accepted with another body`);
    }
    if (fate.acceptedAt !== undefined && fate.acceptedAt !== accepted.acceptedAt) {
      this.#fail("repeat-differs", `${letter.id} was accepted at ${fate.acceptedAt} and at ${accepted.acceptedAt}`);
    }
    if (isRepeat && fate.wasDelivered && accepted.state === "stored") {
      this.#fail("repeat-differs", `${letter.id} was delivered, and stored afterwards`);
    }
    fate.acceptedAt = accepted.acceptedAt;
    fate.wasDelivered ||= accepted.state === "delivered";
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

  bodyRemoved(id: string): void {
    this.requireKept(id);
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
    this.requireUndisplaced(socket);
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
    const own = Math.min(...found.filter(([, one]) => one.socket === name).map(([epoch]) => epoch));
    if (!found.some(([epoch, one]) => one.socket !== name && epoch > own)) {
      this.#fail("ghost-displacement", `${device.process.name} was displaced, but no newer socket was ever open`);
    }
  }

  /** The presence of an account was changed. */
  presenceWritten(accountId: string, before: PresenceState, after: PresenceState, by: "claim" | "takeOver" | number): void {
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

  /** A thief presents a token. */
  stolenPresented({ sessionId }: Token): void {
    this.#touched.add(sessionId);
  }

  /** Whether a thief has presented a token of a session. */
  isTouched(sessionId: number): boolean {
    return this.#touched.has(sessionId);
  }

  /** A session was ended as stolen. */
  revoked({ id }: SessionRow, { generation }: Token): void {
    if (!this.#touched.has(id)) {
      this.#fail("logged-out", `session ${id} was ended for its generation ${generation}, and no thief was there`);
    }
  }

  /** A client was closed with 4401. */
  loggedOut({ process, token, isThief }: Device): void {
    if (!isThief && !this.#touched.has(token.sessionId)) {
      this.#fail("logged-out", `${process.name} holds generation ${token.generation} and was refused`);
    }
  }

  /** A presentation is about to be answered with a successor. */
  answered(token: Token, successor: Token): void {
    const known = this.#successors.get(token);
    if (known !== undefined && known !== successor) {
      this.#fail("two-successors", `generation ${token.generation} was answered with two`);
    }
    this.#successors.set(token, successor);
  }

  familyWritten({ family }: SessionRow, before: Family): void {
    if (family.generation < before.generation || family.version < before.version) {
      this.#fail("generation-fell", `from ${before.generation} to ${family.generation}`);
    }
  }

  /** A reply has come to a client. */
  replied({ device, token }: DeviceSocket): void {
    const session = this.#world.database.sessions[token.sessionId];
    if (session?.revokedAt === undefined && (session?.family.generation ?? 0) < token.generation) {
      this.#fail("reply-before-confirmation", `${device.process.name} has a reply, but generation ${token.generation} is not confirmed`);
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

  /** Something is wrong at the end. */
  fail(promise: string, text: string): never {
    return this.#fail(promise, text);
  }

  #expectPrompt({ letter }: OutgoingLetter): void {
    const { timeline, database } = this.#world;
    const { now } = timeline;
    timeline.after(PROMPT_MS, undefined, () => {
      const { recipientId, id } = letter;
      const current = database.presence.get(recipientId)?.current;
      const found = this.#foundOpen.get(recipientId)?.get(current?.epoch ?? 0);
      const isListening = this.#world.devices.some(({ sockets }) => sockets.some((one) => one.name === found?.socket && one.isListening));
      if (found !== undefined && found.at < now + PROMPT_MS / 6 && isListening && !this.#fateOf(id).kept) {
        this.#fail("brought-late", `${id} waits for ${recipientId}, which is attached since ${found.at}`);
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
    const fate = { acceptedAt: undefined, wasDelivered: false, kept: false, ackedAt: undefined, endedAt: undefined, ackedInFrame: false, announced: 0 };
    this.#fates.set(id, fate);
    return fate;
  }

  #fail(promise: string, text: string): never {
    this.#world.timeline.log?.(`VIOLATION ${promise}: ${text}`);
    // A task may catch it.
    this.violation ??= new Violation(promise, text);
    this.#world.timeline.isStopped = true;
    throw this.violation;
  }
}
