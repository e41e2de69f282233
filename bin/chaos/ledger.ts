import type { ReceivedMessage } from "../../client/event.ts";
import { type SocketSighting, SocketsSeen } from "./sockets-seen.ts";
import type { Duplicate, Expulsion, Suspect, Verdict } from "./verdict.ts";

/** A message that somebody is about to send. */
export interface IntendedMessage extends Suspect {
  readonly body: Uint8Array;
}

/** What a send was answered with. */
export interface Acceptance {
  readonly messageId: string;
  readonly sentAt: Date | undefined;
  readonly receipt: string;
  /** The answer says that the recipient has acknowledged it. */
  readonly isDelivered: boolean;
}

/** What the server says has become of a message. */
export type StatedState = "pending" | "delivered" | "expired" | "unknown";

/** What is known of one message. */
interface Entry {
  readonly message: IntendedMessage;
  /** Its place among all that were sent. */
  readonly index: number;
  /** On which ways it reached an app. */
  readonly ways: Set<number>;
  outcome: "open" | "refused" | Acceptance;
  first?: ReceivedMessage;
  /** Since when it is known that the server knows of its delivery. */
  deliveredMark?: number;
  stated?: StatedState;
}

/** A message that was accepted. */
type AcceptedEntry = Entry & { readonly outcome: Acceptance };

/** A server may believe in a newer socket for 35 s after its client has lost it; what was under way then takes its time too. */
const GONE_AFTER_MS = 45_000;

/** What the clients of a system saw, written down as it happens. No clock, no network. */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  /** First arrivals, by sender and recipient. */
  readonly #arrivals = new Map<string, Entry[]>();
  readonly #sockets: SocketsSeen;
  readonly #acceptedOne: () => void;
  readonly #duplicated: Duplicate[] = [];
  readonly #altered: Suspect[] = [];
  readonly #failed = new Map<string, number>();
  readonly #loggedOut: Expulsion[] = [];
  #mark = 0;
  #requests = 0;
  #attempts = 0;
  #restamped = 0;
  #accepted = 0;
  #unchecked = 0;

  /** `goneAfterMs`: for how long after its end a newer socket explains that an older one is displaced. `acceptedOne` hears of each acceptance. */
  constructor(goneAfterMs: number = GONE_AFTER_MS, acceptedOne: () => void = () => undefined) {
    this.#acceptedOne = acceptedOne;
    this.#sockets = new SocketsSeen(goneAfterMs);
  }

  /** Sends that were answered OK so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** An app makes a call. */
  request(): void {
    this.#requests += 1;
  }

  /** A call goes out to a gateway. */
  attempt(): void {
    this.#attempts += 1;
  }

  /** Somebody is about to send a message. */
  intend(message: IntendedMessage): void {
    this.#entries.set(keyOf(message), { message, index: this.#entries.size, ways: new Set(), outcome: "open" });
  }

  /** The send was answered OK. */
  accept(message: Suspect, acceptance: Acceptance): void {
    const entry = this.#entries.get(keyOf(message));
    if (entry === undefined) {
      throw new RangeError("a message is intended before it is accepted");
    }
    entry.outcome = acceptance;
    this.#accepted += 1;
    this.#acceptedOne();
    if (acceptance.isDelivered) {
      this.#knowDelivered(entry);
    }
    if (entry.first !== undefined) {
      if (entry.first.id !== acceptance.messageId) {
        this.#altered.push(suspectOf(entry));
      } else if (!isStampedAs(entry.first, acceptance)) {
        this.#restamped += 1;
      }
    }
  }

  /** The send was refused for good. */
  refuse(message: Suspect, failure: string): void {
    const entry = this.#entries.get(keyOf(message));
    if (entry !== undefined) {
      entry.outcome = "refused";
    }
    this.fail(failure);
  }

  /** A call failed for good: its method, code and reason. */
  fail(failure: string): void {
    this.#failed.set(failure, (this.#failed.get(failure) ?? 0) + 1);
  }

  /** A new way on which messages may reach an app: one run of it, from its start, or one call for what is pending. */
  beginWay(): number {
    this.#mark += 1;
    return this.#mark;
  }

  /** A message was handed to the app of its recipient. */
  receive(recipientId: string, way: number, message: ReceivedMessage): void {
    const entry = this.#entries.get(keyOf(message));
    if (entry === undefined || entry.message.recipientId !== recipientId || !isWhole(entry, message)) {
      this.#altered.push({ senderId: message.senderAccountId, recipientId, clientMessageId: message.clientMessageId });
    }
    if (entry === undefined) {
      return;
    }
    const how = repetition(entry, way, message);
    if (how !== undefined) {
      this.#duplicated.push({ ...suspectOf(entry), how });
    }
    entry.ways.add(way);
    if (entry.first === undefined) {
      entry.first = message;
      const pair = `${entry.message.senderId} ${recipientId}`;
      const arrivals = this.#arrivals.get(pair) ?? [];
      arrivals.push(entry);
      this.#arrivals.set(pair, arrivals);
    }
  }

  /** The server has answered that a message is delivered: by a call, or an event. */
  deliver(message: Pick<Suspect, "senderId" | "clientMessageId">): void {
    const entry = this.#entries.get(keyOf(message));
    if (entry !== undefined) {
      this.#knowDelivered(entry);
    }
  }

  /** The server has answered what has become of a message. */
  state(message: Pick<Suspect, "senderId" | "clientMessageId">, stated: StatedState): void {
    const entry = this.#entries.get(keyOf(message));
    if (entry !== undefined) {
      entry.stated = stated;
      if (stated === "delivered") {
        this.#knowDelivered(entry);
      }
    }
  }

  /** A connection opens a socket. The result is told what becomes of it. */
  openSocket(account: string, connection: number, at: number): SocketSighting {
    return this.#sockets.open(account, connection, at);
  }

  /** A connection ended, so that its owner has to log in again. */
  logOut(account: string, reason: string): void {
    this.#loggedOut.push({ account, reason });
  }

  /** Somebody's fresh app was not given everything in time. */
  leaveUnchecked(): void {
    this.#unchecked += 1;
  }

  /** Messages whose fate is not what it must be in the end: sends without an answer, and what has not arrived, or is not said to have. */
  unsettled(away: ReadonlySet<string>): readonly Suspect[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.outcome === "open" || (isAccepted(entry) && (isLost(entry, away) || isMisstated(entry, away))))
      .map(suspectOf);
  }

  /** What is to be said of it all. `away`: the accounts that stay away on purpose, and have not come yet. */
  verdict(away: ReadonlySet<string>): Verdict {
    const accepted = this.#acceptedEntries();
    return {
      requests: this.#requests,
      attempts: this.#attempts,
      accepted: accepted.length,
      delivered: accepted.filter(({ first }) => first !== undefined).length,
      pending: accepted.filter((entry) => isPending(entry, away)).length,
      inDoubt: [...this.#entries.values()].filter(({ outcome }) => outcome === "open").length,
      unchecked: this.#unchecked,
      restamped: this.#restamped,
      lost: accepted.filter((entry) => isLost(entry, away)).map(suspectOf),
      duplicated: this.#duplicated,
      altered: this.#altered,
      contradicted: [...this.#entries.values()].filter(({ outcome, first }) => outcome === "refused" && first !== undefined).map(suspectOf),
      disordered: [...this.#arrivals.values()].flatMap(overtaken).map(suspectOf),
      misstated: accepted.filter((entry) => !isLost(entry, away) && isMisstated(entry, away)).map(suspectOf),
      failed: Object.fromEntries(this.#failed),
      loggedOut: this.#loggedOut,
      ghostDisplaced: this.#sockets.ghosts,
    };
  }

  #acceptedEntries(): readonly AcceptedEntry[] {
    return [...this.#entries.values()].filter(isAccepted);
  }

  #knowDelivered(entry: Entry): void {
    if (entry.deliveredMark === undefined) {
      entry.deliveredMark = this.beginWay();
    }
  }
}

function keyOf(message: Pick<Suspect, "senderId" | "clientMessageId"> | ReceivedMessage): string {
  const senderId = "senderId" in message ? message.senderId : message.senderAccountId;
  return `${senderId} ${message.clientMessageId}`;
}

function suspectOf({ message: { senderId, recipientId, clientMessageId } }: Entry): Suspect {
  return { senderId, recipientId, clientMessageId };
}

/** In which way a message comes again that must not; undefined when it may come. */
function repetition({ first, ways, deliveredMark }: Entry, way: number, { id }: ReceivedMessage): Duplicate["how"] | undefined {
  if (first !== undefined && first.id !== id) {
    return "under another id";
  }
  if (ways.has(way)) {
    return "to one app";
  }
  return deliveredMark !== undefined && way > deliveredMark ? "known to be delivered" : undefined;
}

function isAccepted(entry: Entry): entry is AcceptedEntry {
  return typeof entry.outcome === "object";
}

function isStampedAs({ sentAt, receipt }: ReceivedMessage, acceptance: Acceptance): boolean {
  return sentAt.getTime() === acceptance.sentAt?.getTime() && receipt === acceptance.receipt;
}

/** Until a send is answered, its time and receipt may change with the process that accepts it. */
function isWhole({ message, outcome }: Entry, received: ReceivedMessage): boolean {
  const isItself = Buffer.compare(message.body, received.body) === 0 && received.receipt !== "";
  return isItself && (typeof outcome !== "object" || (received.id === outcome.messageId && isStampedAs(received, outcome)));
}

function isPending({ message, first }: Entry, away: ReadonlySet<string>): boolean {
  return first === undefined && away.has(message.recipientId);
}

function isLost(entry: Entry, away: ReadonlySet<string>): boolean {
  return entry.first === undefined && !isPending(entry, away);
}

function isMisstated(entry: Entry, away: ReadonlySet<string>): boolean {
  return entry.stated !== (isPending(entry, away) ? "pending" : "delivered");
}

/** Those of the accepted messages that came after one that was sent later. */
function overtaken(arrivals: readonly Entry[]): readonly Entry[] {
  let latest = -1;
  return arrivals.filter(isAccepted).filter(({ index }) => {
    const isLate = index < latest;
    latest = Math.max(latest, index);
    return isLate;
  });
}
