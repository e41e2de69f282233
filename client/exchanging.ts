import { type AccessTokens, advanceExchange, type Exchange, type ExchangeEffect, type ExchangeInput, type HeldToken } from "./exchange.ts";
import type { Socket } from "./socket.ts";
import type { Surroundings } from "./surroundings.ts";

/** A socket that ended before its exchange was complete. */
export class SocketClosed extends Error {
  override readonly name = "SocketClosed";
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, cause?: unknown) {
    super(`the socket was closed with ${code}`, { cause });
    this.code = code;
    this.reason = reason;
  }
}

/** The exchange of one socket, and who hears from the socket afterwards. */
export interface ExchangePlan {
  readonly surroundings: Pick<Surroundings, "openSocket" | "after">;
  readonly url: string;
  readonly held: readonly HeldToken[];
  /** Resolves once the new token is durable. */
  readonly save: (token: HeldToken) => Promise<void>;
  readonly timeoutMs: number;
  /** Aborting gives the exchange up. */
  readonly signal: AbortSignal;
  /** The exchange is complete and everything saved: sends the frame that confirms, at once. */
  readonly complete: (socket: Socket, accessTokens: AccessTokens) => void;
  readonly binary: (bytes: Uint8Array) => void;
  readonly text: (text: string) => void;
  /** Only after `complete`. */
  readonly closed: (code: number, reason: string) => void;
}

/**
 * Opens a socket and takes it through its exchange. Settles no earlier than the saves that it began, so that a turn on the store does not
 * end before them. @throws SocketClosed
 */
export function runExchange(plan: ExchangePlan): Promise<void> {
  const run = new RunningExchange(plan);
  return run.done.finally(() => run.release());
}

class RunningExchange {
  readonly done: Promise<void>;
  readonly #plan: ExchangePlan;
  readonly #socket: Socket;
  readonly #stopTimer: () => void;
  #state: Exchange;
  #saves: Promise<void> = Promise.resolve();
  #outcome: "open" | "complete" | "given up" = "open";
  #resolve: () => void = () => undefined;
  #reject: (error: SocketClosed) => void = () => undefined;

  constructor(plan: ExchangePlan) {
    this.#plan = plan;
    this.#state = { at: "opening", held: plan.held };
    this.done = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#socket = plan.surroundings.openSocket(plan.url, {
      opened: () => this.#step({ kind: "opened" }),
      binary: (bytes) => (this.#outcome === "complete" ? plan.binary(bytes) : this.#step({ kind: "binary", bytes })),
      text: (text) => (this.#outcome === "given up" ? undefined : plan.text(text)),
      closed: (code, reason) => (this.#outcome === "complete" ? plan.closed(code, reason) : this.#giveUp(new SocketClosed(code, reason))),
    });
    this.#stopTimer = plan.surroundings.after(plan.timeoutMs, () => this.#giveUp(new SocketClosed(4408, "no answer in time")));
    plan.signal.addEventListener("abort", this.#abort, { once: true });
  }

  release(): void {
    this.#stopTimer();
    this.#plan.signal.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.#giveUp(new SocketClosed(1000, "given up"));

  #step(input: ExchangeInput): void {
    if (this.#outcome === "given up") {
      return;
    }
    const [state, effects] = advanceExchange(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      this.#act(effect);
    }
  }

  #act(effect: ExchangeEffect): void {
    switch (effect.kind) {
      case "send":
        this.#socket.send(effect.bytes);
        return;
      case "save":
        this.#save(effect.token);
        return;
      case "complete":
        this.#outcome = "complete";
        this.#plan.complete(this.#socket, effect.accessTokens);
        this.#resolve();
        return;
      case "break":
        this.#giveUp(new SocketClosed(1006, "the server broke the exchange"));
    }
  }

  #save(token: HeldToken): void {
    // One after the other: a store need not bear parallel saves.
    this.#saves = this.#saves.then(async () => {
      try {
        await this.#plan.save(token);
        this.#step({ kind: "saved" });
      } catch (cause) {
        this.#giveUp(new SocketClosed(1006, "the new refresh token could not be saved", cause));
      }
    });
  }

  #giveUp(error: SocketClosed): void {
    if (this.#outcome === "open") {
      this.#outcome = "given up";
      this.#socket.close();
      void this.#saves.then(() => this.#reject(error));
    }
  }
}
