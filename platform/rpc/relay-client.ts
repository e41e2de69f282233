import type { Hello, Push } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import type { ServiceName } from "../../proto/method.ts";
import { type SallyportError, unavailable } from "../errors.ts";
import { Channel } from "./channel.ts";
import type { CallOptions, Invoker } from "./client.ts";
import { RelayLink } from "./relay-link.ts";
import type { ChannelTls } from "./tls.ts";

/** What a gateway does with what its relay stream brings. */
export interface RelayListener {
  /** The stream stands. Everything attached through an earlier stream is forgotten at the other end. */
  connected(): void;
  disconnected(): void;
  /** The copy stops, or is let go: what is new goes elsewhere. The stream is kept until what this answers has settled. */
  leaving?(): unknown;
  /** Nothing came any more on a stream that stood: it was given up. */
  silent?(): void;
  /** No stream comes about, and why; said once until one stands. */
  unreachable?(error: SallyportError): void;
  pushed(push: Push): void;
  revoked(sessionId: string): void;
  /** A message waits for the account of a connection, and the copy at the other end is not the one that delivers it. */
  woken?(connection: number): void;
  /** The same, for an account whose events another copy delivers, which the one at the other end cannot reach. */
  wokenAt?(copy: string, accountId: string): void;
}

/** How a relay is opened, besides what it must have. */
export interface RelayOptions {
  readonly tls?: ChannelTls | undefined;
  /** The service that has to be at the other end; undefined: any. */
  readonly service?: ServiceName;
  /** How often the other end is asked for a sign of life. */
  readonly tickMs?: number | undefined;
}

const RECONNECT_MS = [50, 100, 200, 400] as const;

/** One relay stream to one copy of a service, opened again whenever it ends. Calls that wait when it ends fail with UNAVAILABLE. */
export class RelayClient implements Invoker, Disposable {
  readonly target: string;
  readonly channel: Channel;
  readonly #hello: Hello;
  readonly #listener: RelayListener;
  readonly #tickMs: number | undefined;
  #link: RelayLink | undefined;
  #attempt = 0;
  #isKnownUnreachable = false;
  #isOver = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(target: string, incarnation: string, listener: RelayListener, { tls, service, tickMs }: RelayOptions = {}) {
    this.target = target;
    this.channel = new Channel(target, tls);
    this.#hello = { incarnation, service: service ?? "" };
    this.#listener = listener;
    this.#tickMs = tickMs;
    this.#open();
  }

  /** Whether the stream stands. */
  get isConnected(): boolean {
    return this.#link?.copy !== undefined;
  }

  /** Whether the copy at the other end of the stream stops, or is let go. */
  get isLeaving(): boolean {
    return this.#link?.isLeaving ?? false;
  }

  /** What tells one copy from all others, whichever target leads to it: the id of its run. Known while the stream stands. */
  get copy(): string | undefined {
    const copy = this.#link?.copy;
    return copy === "" ? this.target : copy;
  }

  invoke(method: string, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
    return this.#link === undefined
      ? Promise.reject(unavailable("the service cannot be reached", "SERVICE_UNREACHABLE"))
      : this.#link.invoke(method, request, options);
  }

  /** Tells the copy that another one has stored a message for an account; lost when there is no stream. */
  wake(accountId: string): void {
    this.#link?.wake(accountId);
  }

  /** For good: has what is new go elsewhere, lets the calls in flight end, then disposes of itself. Settles then. */
  async letGo(): Promise<void> {
    this.#isOver = true;
    await this.#link?.leave();
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#link?.end();
    this.channel[Symbol.dispose]();
  }

  #open(): void {
    let stood = false;
    const listener = {
      stands: () => {
        stood = true;
        this.#attempt = 0;
        this.#isKnownUnreachable = false;
        this.#listener.connected();
      },
      leaving: () => this.#listener.leaving?.(),
      silent: () => this.#listener.silent?.(),
      ended: (error?: SallyportError) => this.#reopen(stood, error),
      pushed: (push: Push) => this.#listener.pushed(push),
      revoked: (sessionId: string) => this.#listener.revoked(sessionId),
      woken: (connection: number) => this.#listener.woken?.(connection),
      wokenAt: (copy: string, accountId: string) => this.#listener.wokenAt?.(copy, accountId),
    };
    this.#link = new RelayLink(this.channel, this.#hello, listener, this.#tickMs);
  }

  #reopen(stood: boolean, error: SallyportError | undefined): void {
    this.#link = undefined;
    if (stood) {
      this.#listener.disconnected();
    } else if (error !== undefined && !this.#isKnownUnreachable) {
      this.#isKnownUnreachable = true;
      this.#listener.unreachable?.(error);
    }
    if (!this.#isOver) {
      const delay = RECONNECT_MS[Math.min(this.#attempt, RECONNECT_MS.length - 1)] ?? 0;
      this.#attempt += 1;
      this.#timer = setTimeout(() => this.#open(), delay * (0.5 + Math.random() / 2));
    }
  }
}
