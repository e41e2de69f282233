import type { SallyportError } from "../platform/errors.ts";
import type { GatewayContext } from "./context.ts";
import type { Grant } from "./exchange.ts";
import { retry } from "./retry.ts";

const ATTEMPT_MS = 5_000;
/** Replies that wait for the confirmation: those in flight, and refusals of more. */
const MAX_HELD = 1024;

/** The confirmation of a socket's new refresh tokens: no reply leaves before it is durable. */
export class Confirmation {
  readonly #context: GatewayContext;
  readonly #grants: readonly Grant[];
  readonly #close: (code: number) => void;
  #state: { step: "due" } | { step: "running"; held: (() => void)[] } | { step: "durable" } | { step: "ended" } = { step: "due" };

  constructor(context: GatewayContext, grants: readonly Grant[], close: (code: number) => void) {
    this.#context = context;
    this.#grants = grants;
    this.#close = close;
  }

  /** The client has shown that it holds its new tokens. Only the first time counts. */
  begin(): void {
    if (this.#state.step === "due") {
      this.#state = { step: "running", held: [] };
      void this.#run();
    }
  }

  /** Runs `act` once the confirmation is durable; never, when the socket closes before. */
  whenDurable(act: () => void): void {
    if (this.#state.step === "durable") {
      act();
    } else if (this.#state.step === "running") {
      this.#state.held.push(act);
      if (this.#state.held.length > MAX_HELD) {
        this.#close(4503);
      }
    }
  }

  /** The socket has closed. */
  end(): void {
    this.#state = { step: "ended" };
  }

  async #run(): Promise<void> {
    try {
      await Promise.all(
        this.#grants.map((grant) =>
          retry(
            () => this.#confirm(grant),
            () => this.#state.step === "running",
          ),
        ),
      );
    } catch (error) {
      const { status } = error as SallyportError;
      this.#close(status === "UNAUTHENTICATED" || status === "NOT_FOUND" ? 4401 : 4503);
      return;
    }
    if (this.#state.step === "running") {
      const { held } = this.#state;
      this.#state = { step: "durable" };
      for (const act of held) {
        act();
      }
    }
  }

  async #confirm({ service, sessionId, generation }: Grant): Promise<void> {
    const { tokens } = this.#context.services.account.pick(sessionId);
    await tokens.confirmRefreshToken({ sessionId, service, generation }, { deadline: this.#context.clock() + ATTEMPT_MS });
  }
}
