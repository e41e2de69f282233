import { isUuid } from "../platform/ids.ts";
import type { Event } from "../proto/gen/sallyport/gateway/v1/events.ts";
import { eventText } from "./event-text.ts";

/** Where the events of a socket go, and what its client's acknowledgements cause. */
export interface EventSink {
  /** What waits for the socket. */
  readonly bufferedBytes: number;
  send(text: string): void;
  /** Tells the chat service again that a message was acknowledged. */
  acknowledge(messageIds: readonly string[]): void;
  /** So many bytes of bodies have left. */
  credit(bytes: number): void;
  displaced(): void;
}

/** The server stops pushing while this much waits for a socket. */
export const MAX_WAITING_BYTES = 262_144;
/** Unacknowledged messages that a new attachment is told of. */
export const MAX_IN_FLIGHT = 256;
/** Credit is given in steps of this size: what is less than one is not missed in a window of four. */
const CREDIT_STEP_BYTES = 65_536;
/** Some of those in flight may have been acknowledged elsewhere, which the gateway does not see. */
const MAX_REMEMBERED = 512;
const MAX_ACKED = 256;
const MAX_QUEUED_EVENTS = 1024;

/** The events of one socket: in order, none twice, no more than the socket takes. No clock, no network: all goes through the sink. */
export class EventFlow {
  readonly #sink: EventSink;
  readonly #inFlight = new Set<string>();
  readonly #acked = new Set<string>();
  #waiting: Event[] = [];
  #uncredited = 0;
  #queueEmptied = false;
  #attachment: { phase: "detached" } | { phase: "attached"; epoch: number } | { phase: "displaced" } = { phase: "detached" };

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  get isDisplaced(): boolean {
    return this.#attachment.phase === "displaced";
  }

  /** What a new attachment has to know: what has not gone to the socket yet is pushed again by it. The old one goes on until it stands. */
  beginAttach(): { inFlightMessageIds: string[]; queueEmptied: boolean } {
    const unsent = new Set(this.#waiting.flatMap(({ kind }) => (kind?.$case === "message" ? [kind.value.id] : [])));
    const sent = [...this.#inFlight].filter((id) => !unsent.has(id));
    return { inFlightMessageIds: sent.slice(-MAX_IN_FLIGHT), queueEmptied: this.#queueEmptied };
  }

  /** Those of some messages that the client has acknowledged since they were in flight. */
  landed(messageIds: readonly string[]): readonly string[] {
    return messageIds.filter((id) => !this.#inFlight.has(id));
  }

  /** Takes the pushes of an epoch from now on, and those of an older one no longer. */
  attached(epoch: number): void {
    if (this.#attachment.phase === "displaced") {
      return;
    }
    this.#attachment = { phase: "attached", epoch };
    this.#uncredited = 0;
    for (const { kind } of this.#waiting) {
      if (kind?.$case === "message") {
        this.#inFlight.delete(kind.value.id);
      }
    }
    this.#waiting = this.#waiting.filter(({ kind }) => kind?.$case === "delivered");
  }

  /** Takes an event that was pushed for an epoch; of any other epoch it is dropped. */
  push(epoch: number, event: Event): void {
    if (this.#attachment.phase !== "attached" || this.#attachment.epoch !== epoch) {
      return;
    }
    switch (event.kind?.$case) {
      case "message":
        this.#pushMessage(event, event.kind.value.id, event.kind.value.body.length);
        break;
      case "displaced":
        this.#attachment = { phase: "displaced" };
        this.#waiting = [];
        this.#sink.send(eventText(event));
        this.#sink.displaced();
        break;
      case "delivered":
      case "queueEmpty":
      case "draining":
        this.#enqueue(event);
        break;
      case undefined:
        break;
    }
  }

  /** The client has kept these; answers those that the chat service is to be told: whatever is an id, each once, in lower case. */
  acknowledge(messageIds: readonly string[]): readonly string[] {
    const known = new Set(messageIds.filter(isUuid).map((id) => id.toLowerCase()));
    for (const id of known) {
      this.#inFlight.delete(id);
      remember(this.#acked, id, MAX_ACKED);
    }
    return [...known];
  }

  /** The socket has taken something: what waits may follow. */
  flush(): void {
    while (this.#waiting.length > 0 && this.#sink.bufferedBytes < MAX_WAITING_BYTES) {
      this.#send(this.#waiting.shift() as Event);
    }
  }

  /** Gives credit for what has left the socket since the last time, when it is worth a call. */
  settleCredit(): void {
    const buffered = this.#sink.bufferedBytes;
    // More waits than bodies alone, so this is at most what has left.
    const left = this.#uncredited - Math.min(this.#uncredited, buffered);
    if (left >= CREDIT_STEP_BYTES) {
      this.#uncredited -= left;
      this.#sink.credit(left);
    }
  }

  #pushMessage(event: Event, id: string, bytes: number): void {
    if (this.#acked.has(id)) {
      this.#uncredited += bytes;
      this.#sink.acknowledge([id]);
    } else if (this.#inFlight.has(id)) {
      this.#uncredited += bytes;
    } else {
      remember(this.#inFlight, id, MAX_REMEMBERED);
      this.#enqueue(event);
    }
  }

  #enqueue(event: Event): void {
    if (this.#waiting.length === 0 && this.#sink.bufferedBytes < MAX_WAITING_BYTES) {
      this.#send(event);
    } else if (this.#waiting.length < MAX_QUEUED_EVENTS || event.kind?.$case !== "delivered") {
      this.#waiting.push(event);
    }
  }

  #send(event: Event): void {
    if (event.kind?.$case === "message") {
      this.#uncredited += event.kind.value.body.length;
    }
    if (event.kind?.$case === "queueEmpty") {
      if (this.#queueEmptied) {
        return;
      }
      this.#queueEmptied = true;
    }
    this.#sink.send(eventText(event));
  }
}

/** Adds to a set that forgets its oldest member beyond a size. */
function remember(set: Set<string>, id: string, max: number): void {
  set.add(id);
  if (set.size > max) {
    set.delete(set.values().next().value as string);
  }
}
