import { type AccountServiceRpcs, accountService, type ChatServiceRpcs, chatService } from "../proto/gen/policy/services.ts";
import type { ServiceName } from "../proto/method.ts";
import { Acks } from "./acks.ts";
import { Broadcast } from "./broadcast.ts";
import { CallError } from "./call-error.ts";
import { Calls, type SendFrame } from "./calls.ts";
import { startDeparture } from "./departure.ts";
import { type ConnectionEvent, parseEvent, type ReceivedMessage } from "./event.ts";
import type { AccessTokens, HeldToken } from "./exchange.ts";
import { runExchange, SocketClosed } from "./exchanging.ts";
import { keepAliveFrame, parseReply } from "./frames.ts";
import { Inbox } from "./inbox.ts";
import { type Access, invoker } from "./invoke.ts";
import { advanceLifecycle, type Ending, type Lifecycle, type LifecycleEffect, type LifecycleInput, startLifecycle } from "./lifecycle.ts";
import { type MethodClient, methodClient } from "./method-client.ts";
import { memorySeenMessages, type SeenMessages } from "./seen-messages.ts";
import type { Socket } from "./socket.ts";
import type { Surroundings } from "./surroundings.ts";
import { Throttles } from "./throttle.ts";
import type { TokenStore } from "./token-store.ts";
import { Wakeup } from "./wakeup.ts";

/** A socket that has been silent this long, with a call on it that was not answered in time, is taken for dead, in milliseconds. */
const SILENCE_MS = 5_000;

/** What a connection is made of. */
export interface ConnectionSetup {
  readonly surroundings: Surroundings;
  /** The gateway's HTTP address, without a slash at its end. */
  readonly baseUrl: string;
  /** Whose tokens the socket exchanges, in this order. Messages and other events need "chat". */
  readonly services: readonly ServiceName[];
  readonly store: TokenStore;
  /** Which messages were handled; in memory when left out. */
  readonly seen?: SeenMessages;
  /** How long one socket may take from its beginning to the end of its exchange; default 20 s. */
  readonly exchangeTimeoutMs?: number;
  /** Shared with other connections of the client; its own when left out. */
  readonly throttles?: Throttles;
}

/** A turn on the store; `socket` is there once its exchange is complete. */
interface Turn {
  socket: Socket | undefined;
}

/** A session's way to the server: one socket at a time, replaced when it is lost, until the app closes it or the server says for good. */
export class Connection implements AsyncDisposable {
  readonly account: MethodClient<AccountServiceRpcs>;
  readonly chat: MethodClient<ChatServiceRpcs>;
  /** Resolves when the connection is over for good, with the reason. Never rejects. */
  readonly ended: Promise<Ending>;

  readonly #setup: ConnectionSetup;
  readonly #calls: Calls;
  readonly #acks: Acks;
  readonly #inbox: Inbox;
  readonly #events = new Broadcast<ConnectionEvent>();
  readonly #changed = new Wakeup();
  readonly #giveUp = new AbortController();
  #state: Lifecycle;
  #socket: Socket | undefined;
  #accessTokens: AccessTokens | undefined;
  #turn: Promise<void> = Promise.resolve();
  #stopTimer: () => void = () => undefined;
  #stopDeparture: () => void = () => undefined;
  #finish: (ending: Ending) => void = () => undefined;
  #trouble: unknown;
  #heardAt = 0;

  constructor(setup: ConnectionSetup) {
    const { surroundings, baseUrl } = setup;
    this.#setup = setup;
    const throttles = setup.throttles ?? new Throttles(surroundings);
    this.#calls = new Calls(surroundings.now, throttles, (sentAt) => this.#suspect(sentAt));
    this.#acks = new Acks(surroundings.after);
    this.#inbox = new Inbox(setup.seen ?? memorySeenMessages(), (messageId) => this.#acks.add(messageId));
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    const access: Access = {
      current: (service) => this.#accessTokens?.get(service),
      wait: (service, signal) => this.#accessToken(service, signal),
      replaceSocket: () => this.#lost(new SocketClosed(1006, "an access token of the socket was refused")),
    };
    const invoke = invoker({ surroundings, baseUrl, calls: this.#calls, access, throttles });
    this.account = methodClient(accountService, invoke);
    this.chat = methodClient(chatService, invoke);
    const [state, effects] = startLifecycle();
    this.#state = state;
    effects.forEach(this.#act, this);
  }

  /** Resolves when there is a socket whose exchange is complete. Rejects with CallError when there will be none. */
  async ready(signal?: AbortSignal): Promise<void> {
    while (this.#state.at !== "ready") {
      signal?.throwIfAborted();
      if (this.#state.at === "ended") {
        throw endError(this.#state.ending);
      }
      await this.#changed.wait(signal);
    }
  }

  /**
   * The messages for this account, each once, oldest first. Asking for the next acknowledges the last, so that the server forgets it: keep a
   * message before that. A loop that is left by `break` or an exception does not acknowledge the message that it was at.
   */
  messages(signal?: AbortSignal): AsyncGenerator<ReceivedMessage, void, undefined> {
    return this.#inbox.messages(signal);
  }

  /** Hands each message to `handle` and acknowledges it when that has resolved. Rejects with what `handle` failed with; that message comes again. */
  async eachMessage(handle: (message: ReceivedMessage) => unknown, signal?: AbortSignal): Promise<void> {
    for await (const message of this.messages(signal)) {
      await handle(message);
    }
  }

  /** Everything else that happens from this call on. */
  events(signal?: AbortSignal): AsyncGenerator<ConnectionEvent, void, undefined> {
    return this.#events.subscribe(signal);
  }

  /** Closes the connection for good; the session lives on. Resolves when its turn on the token store, if it had one, is over. */
  async close(): Promise<void> {
    this.#acks.flush();
    this.#step({ kind: "close" });
    await this.#turn;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #step(input: LifecycleInput): void {
    const [state, effects] = advanceLifecycle(this.#state, input);
    this.#state = state;
    effects.forEach(this.#act, this);
    this.#changed.wake();
  }

  #act(effect: LifecycleEffect): void {
    switch (effect.kind) {
      case "connect":
        this.#turn = this.#connect();
        return;
      case "wait":
        this.#stopTimer = this.#setup.surroundings.after(effect.ms, () => this.#step({ kind: "elapsed" }));
        this.#events.publish({ type: "disconnected", reconnectInMs: effect.ms, cause: this.#trouble });
        return;
      case "end":
        this.#end(effect.ending);
        return;
    }
  }

  /** Takes a turn on the store: loads the newest tokens, exchanges, saves, confirms. */
  async #connect(): Promise<void> {
    const turn: Turn = { socket: undefined };
    try {
      const { signal } = this.#giveUp;
      await this.#setup.store.exclusive(() => this.#exchange(turn, signal), signal);
    } catch (error) {
      // A store may fail late, when the turn's socket has come and gone.
      if (turn.socket === this.#socket) {
        this.#lost(error instanceof SocketClosed ? error : new SocketClosed(1006, "the token store failed", error));
      }
    }
  }

  async #exchange(turn: Turn, signal: AbortSignal): Promise<void> {
    const { surroundings, baseUrl, services, store, exchangeTimeoutMs = 20_000 } = this.#setup;
    const held: HeldToken[] = [];
    for (const service of services) {
      const refreshToken = await store.load(service);
      if (refreshToken === undefined) {
        this.#step({ kind: "tokenMissing", service });
        return;
      }
      held.push({ service, refreshToken });
    }
    if (signal.aborted) {
      return;
    }
    // A socket that was given up may still speak: it must not be taken for its successor.
    const ifCurrent = (act: () => void): void => {
      if (turn.socket === this.#socket) {
        this.#heardAt = surroundings.now();
        act();
      }
    };
    await runExchange({
      surroundings,
      url: `${baseUrl.replace(/^http/, "ws")}/connect/${services.join(",")}`,
      held,
      save: ({ service, refreshToken }) => store.save(service, refreshToken),
      timeoutMs: exchangeTimeoutMs,
      signal,
      complete: (socket, accessTokens) => {
        turn.socket = socket;
        this.#exchanged(socket, accessTokens);
      },
      binary: (bytes) => ifCurrent(() => this.#received(bytes)),
      text: (text) => ifCurrent(() => this.#heard(text)),
      closed: (code, reason) => ifCurrent(() => this.#lost(new SocketClosed(code, reason))),
    });
  }

  #exchanged(socket: Socket, accessTokens: AccessTokens): void {
    const send: SendFrame = (frame) => socket.send(frame);
    this.#socket = socket;
    this.#accessTokens = accessTokens;
    const acked = this.#acks.attach(send);
    const called = this.#calls.attach(send);
    if (!acked && !called) {
      send(keepAliveFrame());
    }
    this.#step({ kind: "exchanged", now: this.#setup.surroundings.now() });
    this.#events.publish({ type: "connected" });
  }

  #received(bytes: Uint8Array): void {
    const reply = parseReply(bytes);
    if (reply !== undefined) {
      this.#calls.reply(reply);
    }
  }

  #heard(text: string): void {
    const event = parseEvent(text);
    if (event === undefined || this.#state.at === "ended") {
      return;
    }
    if (event.type === "message") {
      this.#inbox.receive(event.message);
      return;
    }
    if (event.type === "draining") {
      this.#depart(event.reconnectAfterMs);
    } else if (event.type === "displaced") {
      this.#step({ kind: "displaced" });
    }
    this.#events.publish(event);
  }

  #depart(hintMs: number): void {
    const { now, after } = this.#setup.surroundings;
    this.#step({ kind: "draining", hintMs, now: now() });
    this.#stopDeparture();
    this.#stopDeparture = startDeparture(after, hintMs, {
      hold: () => this.#calls.hold(),
      leave: () => this.#lost(new SocketClosed(4001, "the server closes the socket late")),
    });
  }

  /** A call that went out was not answered in time. Networks lose connections without a word. */
  #suspect(sentAt: number): void {
    if (this.#heardAt <= sentAt && this.#setup.surroundings.now() - sentAt >= SILENCE_MS) {
      this.#lost(new SocketClosed(1006, "the server is silent"));
    }
  }

  /** The socket, if there is one, is closed or good for nothing. */
  #lost(closed: SocketClosed): void {
    const socket = this.#socket;
    this.#detach();
    socket?.close();
    this.#trouble = closed.cause ?? closed;
    const { now, random } = this.#setup.surroundings;
    this.#step({ kind: "closed", code: closed.code, reason: closed.reason, now: now(), random: random() });
  }

  #detach(): void {
    this.#stopDeparture();
    this.#socket = undefined;
    this.#accessTokens = undefined;
    this.#acks.detach();
    this.#calls.detach();
  }

  #end(ending: Ending): void {
    this.#stopTimer();
    this.#giveUp.abort();
    this.#socket?.close();
    this.#detach();
    this.#calls.end(endError(ending));
    this.#inbox.end();
    this.#events.publish({ type: "ended", ending });
    this.#events.end();
    this.#finish(ending);
  }

  async #accessToken(service: ServiceName, signal: AbortSignal): Promise<Uint8Array> {
    if (!this.#setup.services.includes(service)) {
      throw new CallError("PERMISSION_DENIED", `the connection is not made for ${service}`, { reason: "SERVICE_NOT_CONNECTED" });
    }
    for (;;) {
      await this.ready(signal);
      const token = this.#accessTokens?.get(service);
      if (token !== undefined) {
        return token;
      }
    }
  }
}

function endError({ reaction, meaning }: Ending): CallError {
  return reaction === "login-again"
    ? new CallError("UNAUTHENTICATED", meaning, { reason: "LOGIN_REQUIRED" })
    : new CallError("UNAVAILABLE", meaning, { reason: "CONNECTION_CLOSED" });
}
