import type { Push } from "../proto/gen/sallyport/relay/v1/relay.ts";
import type { ServiceName } from "../proto/method.ts";
import { Attached } from "./attached.ts";
import { Confirmation } from "./confirmation.ts";
import type { GatewayContext } from "./context.ts";
import { eventText } from "./event-text.ts";
import { beginExchange, type Exchange, type ExchangeEffect, type ExchangeInput, exchange, type Grant } from "./exchange.ts";
import { type ClientFrame, decodeClientFrame, MAX_FRAME_BYTES } from "./frames.ts";
import { judge, release } from "./judgement.ts";
import type { Taking } from "./limits/bucket.ts";
import type { Copy } from "./relay.ts";
import { SocketCalls } from "./socket-calls.ts";
import type { Ticking } from "./timer-wheel.ts";
import { type Due, nextLook, STALL_CHECK_MS, type Vigil, whatIsDue } from "./vigil.ts";
import { MalformedError } from "./wire-reader.ts";

/** The socket under a connection. After its end every verb does nothing. */
export interface Socket {
  readonly bufferedBytes: number;
  /** Since when the client has taken nothing of what waits for it (milliseconds since the epoch); undefined when nothing waits. */
  stalledSince(now: number): number | undefined;
  sendBinary(bytes: Uint8Array): void;
  sendText(text: string): void;
  ping(): void;
  /** Closes with a code and perhaps a reason; the connection hears `closed` before this returns. */
  close(code: number, reason?: string): void;
  /** Cuts the connection, without a closing frame. */
  terminate(): void;
}

type State =
  | { readonly stage: "exchanging"; readonly exchange: Exchange; readonly stepAt: number }
  | { readonly stage: "open"; readonly confirmation: Confirmation; readonly calls: SocketCalls; readonly attached: Attached | undefined }
  | { readonly stage: "closed" };

const DISPLACED_MS = 10_000;
/** How long a socket that has grown old stays open after its draining event. */
const AGED_GRACE_MS = 1_000;
/** How much longer it does for calls that are in flight. */
const AGED_PATIENCE_MS = 10_000;

/** One socket from the upgrade to its end. */
export class Connection implements Ticking {
  readonly id: number;
  readonly address: string;
  dueSlot = 0;
  readonly #context: GatewayContext;
  readonly #socket: Socket;
  readonly #drainAt: number;
  readonly #takeFrame: () => Taking;
  #state: State;
  /** The grants so far; the session of each is told in the hub. */
  #grants: readonly Grant[] = [];
  #frameAt: number;
  #pingAt: number;
  /** Until `latestAt` calls in flight may put it off. */
  #closing: { readonly at: number; readonly code: number; readonly latestAt: number } | undefined;

  constructor(context: GatewayContext, socket: Socket, services: readonly ServiceName[], address: string) {
    const now = context.clock();
    this.id = context.hub.nextId();
    this.address = address;
    this.#context = context;
    this.#socket = socket;
    this.#drainAt = now + context.config.maxSocketAgeMs * (1 - context.random() / 10);
    this.#takeFrame = context.limits.meterFrames();
    this.#state = { stage: "exchanging", exchange: beginExchange(services), stepAt: now };
    this.#frameAt = now;
    this.#pingAt = now + context.config.pingIntervalMs;
    context.events.socketOpened(this.id, services);
    context.hub.add(this);
    context.wheel.schedule(this, nextLook(this.#vigil(now), context.config, now));
  }

  get isOpen(): boolean {
    return this.#state.stage !== "closed";
  }

  /** Whether its exchange is complete, and it has not ended. */
  get isExchanged(): boolean {
    return this.#state.stage === "open";
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  /** A data frame has come, its bytes the connection's own. */
  received(bytes: Uint8Array, isBinary: boolean): void {
    this.heard();
    const now = this.#frameAt;
    switch (this.#state.stage) {
      case "exchanging":
        this.#exchange({ kind: "frame", bytes, isBinary, at: now - this.#context.pauses.lagMs });
        break;
      case "open":
        this.#receiveFrame(this.#state, bytes, isBinary);
        break;
      case "closed":
        break;
    }
  }

  /** A frame of any kind has come. */
  heard(): void {
    this.#frameAt = this.#context.clock();
    const taking = this.#takeFrame();
    if (taking.kind === "refused") {
      this.close(4429, `${taking.retryAfterMs}`);
    }
  }

  /** The client has taken something of what waited for it. */
  drained(): void {
    if (this.#state.stage === "open") {
      this.#state.attached?.drained();
    }
  }

  /** Another copy than the one that delivers to the account has stored a message. */
  woken(): void {
    if (this.#state.stage === "open") {
      this.#state.attached?.woken();
    }
  }

  /** A chat copy has pushed an event for this socket. */
  pushed(push: Push): void {
    if (this.#state.stage === "open") {
      this.#state.attached?.pushed(push);
    }
  }

  async copyConnected(copy: Copy): Promise<void> {
    if (this.#state.stage === "open") {
      await this.#state.attached?.copyConnected(copy);
    }
  }

  async copyLeaving(copy: Copy): Promise<void> {
    if (this.#state.stage === "open") {
      await this.#state.attached?.copyLeaving(copy);
    }
  }

  copyLost(copy: Copy): void {
    if (this.#state.stage === "open") {
      this.#state.attached?.copyLost(copy);
    }
  }

  /**
   * Tells the client to go, and closes at a time (4001), or as soon after it as the calls in flight have their replies, at the latest at
   * another; during the exchange at once and without a word.
   */
  drain(closeAt: number, latestAt: number): void {
    if (this.#state.stage === "exchanging") {
      this.close(4001);
    } else if (this.#state.stage === "open") {
      const reconnectAfterMs = Math.max(0, Math.round(closeAt - this.#context.clock()));
      this.sendText(eventText({ kind: { $case: "draining", value: { reconnectAfterMs } } }));
      this.#closeAt(closeAt, 4001, latestAt);
    }
  }

  displaced(): void {
    this.#closeAt(this.#context.clock() + DISPLACED_MS, 4409);
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.sendBinary(bytes);
  }

  sendText(text: string): void {
    this.#socket.sendText(text);
  }

  /** What was sent has been handed to the system, as far as it takes it. */
  flushed(): void {
    if (this.#socket.bufferedBytes > 0) {
      this.#context.wheel.schedule(this, this.#context.clock() + STALL_CHECK_MS);
    } else {
      this.drained();
    }
  }

  close(code: number, reason?: string): void {
    this.#socket.close(code, reason);
  }

  /** The socket has ended, for whatever reason. */
  closed(code: number): void {
    const state = this.#state;
    this.#state = { stage: "closed" };
    const sessionIds = this.#grants.map(({ sessionId }) => sessionId);
    this.#context.hub.remove(this, sessionIds);
    sessionIds.forEach((sessionId) => {
      this.#context.access.forgetSession(sessionId);
    });
    if (state.stage === "exchanging") {
      this.#context.events.exchangeBroken(this.id, code);
    }
    if (state.stage === "open") {
      state.confirmation.end();
      state.calls.cancelAll();
      state.attached?.detach();
    }
    release(this.#context, this.id, this.#grants);
    this.#context.events.socketClosed(this.id, code);
  }

  tick(now: number): number | undefined {
    for (const due of whatIsDue(this.#vigil(now), this.#context.config, now)) {
      this.#meet(due, now);
    }
    return this.isOpen ? nextLook(this.#vigil(now), this.#context.config, now) : undefined;
  }

  #meet(due: Due, now: number): void {
    switch (due.kind) {
      case "close":
        this.#closeNow(due.code, now);
        break;
      case "terminate":
        this.#socket.terminate();
        break;
      case "timeOutExchange":
        this.#exchange({ kind: "timedOut" });
        break;
      case "drain":
        this.drain(now + AGED_GRACE_MS, now + AGED_GRACE_MS + AGED_PATIENCE_MS);
        break;
      case "ping":
        this.#pingAt = now + this.#context.config.pingIntervalMs;
        this.#socket.ping();
        break;
    }
  }

  #vigil(now: number): Vigil {
    return {
      frameAt: this.#frameAt,
      pingAt: this.#pingAt,
      drainAt: this.#drainAt,
      stepAt: this.#state.stage === "exchanging" ? this.#state.stepAt : undefined,
      stalledSince: this.#socket.stalledSince(now),
      closing: this.#closing,
    };
  }

  #exchange(input: ExchangeInput): void {
    if (this.#state.stage !== "exchanging") {
      return;
    }
    const [next, effects] = exchange(this.#state.exchange, input);
    this.#state = { ...this.#state, exchange: next };
    effects.forEach((effect) => {
      this.#apply(effect);
    });
  }

  #apply(effect: ExchangeEffect): void {
    // An effect before may have ended the socket.
    if (this.#state.stage !== "exchanging") {
      return;
    }
    switch (effect.kind) {
      case "judge":
        void this.#judge(effect.service, effect.token, effect.deadline);
        break;
      case "send":
        this.sendBinary(effect.bytes);
        break;
      case "stepped":
        this.#state = { ...this.#state, stepAt: this.#context.clock() };
        break;
      case "completed":
        this.#open(effect.grants);
        break;
      case "close":
        this.close(effect.code, effect.reason);
        break;
    }
  }

  async #judge(service: ServiceName, token: Uint8Array, deadline: number): Promise<void> {
    const judgement = await judge(this.#context, this, service, token, deadline);
    if (judgement.kind !== "accepted") {
      this.#exchange(judgement);
    } else if (this.isOpen && this.#context.hub.join(judgement.grant.sessionId, this)) {
      this.#grants = [...this.#grants, judgement.grant];
      this.#exchange({ ...judgement, at: this.#context.clock() });
    } else {
      release(this.#context, this.id, [judgement.grant]);
      this.#exchange({ kind: "refused" });
    }
  }

  #open(grants: readonly Grant[]): void {
    const confirmation = new Confirmation(this.#context, grants, (code) => this.close(code));
    const calls = new SocketCalls(this.#context, { grants, address: this.address, confirmation }, this);
    const chat = grants.find(({ service }) => service === "chat");
    const attached = chat && new Attached(this.#context, this, chat);
    this.#state = { stage: "open", confirmation, calls, attached };
    this.#context.events.exchangeCompleted(this.id);
    void attached?.attach();
  }

  #receiveFrame({ confirmation, calls, attached }: Extract<State, { stage: "open" }>, bytes: Uint8Array, isBinary: boolean): void {
    if (bytes.length > MAX_FRAME_BYTES) {
      this.close(1009);
      return;
    }
    const frame = isBinary ? readFrame(bytes) : undefined;
    if (frame === undefined) {
      this.close(4400);
      return;
    }
    confirmation.begin();
    switch (frame.kind) {
      case "call":
        calls.start(frame);
        break;
      case "cancel":
        calls.cancel(frame.callId);
        break;
      case "ack":
        attached?.acknowledge(frame.messageIds);
        break;
      case "keepAlive":
      case "unknown":
        break;
    }
  }

  #closeAt(at: number, code: number, latestAt: number = at): void {
    if (this.#closing === undefined || at < this.#closing.at) {
      this.#closing = { at, code, latestAt };
      this.#context.wheel.schedule(this, at);
    }
  }

  /** The time of a close has come: it waits for calls in flight while it may. */
  #closeNow(code: number, now: number): void {
    const closing = this.#closing;
    if (this.#state.stage === "open" && closing?.code === code && now < closing.latestAt) {
      this.#closing = { ...closing, at: closing.latestAt };
      this.#state.calls.finish(() => this.close(code));
    } else {
      this.close(code);
    }
  }
}

function readFrame(bytes: Uint8Array): ClientFrame | undefined {
  try {
    return decodeClientFrame(bytes);
  } catch (error) {
    if (error instanceof MalformedError) {
      return undefined;
    }
    throw error;
  }
}
