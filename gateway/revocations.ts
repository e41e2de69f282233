import type { Services } from "./relay.ts";

const POLL_MS = 500;
const ASK_MS = 2_000;

/** Reads the log of revocations, so that no broken stream keeps a revoked socket alive. */
export class RevocationLog implements Disposable {
  readonly #services: Services;
  readonly #revoked: (sessionId: string) => void;
  readonly #timer: NodeJS.Timeout;
  #cursor = "";
  #asking = false;

  constructor(services: Services, revoked: (sessionId: string) => void) {
    this.#services = services;
    this.#revoked = revoked;
    this.#timer = setInterval(() => void this.read(), POLL_MS);
  }

  /** Reads what has been added; nothing while it cannot be asked, or is being asked. */
  async read(): Promise<void> {
    if (this.#asking) {
      return;
    }
    this.#asking = true;
    try {
      const { tokens } = this.#services.account.pick("");
      const { sessionIds, cursor } = await tokens.listRevocations({ cursor: this.#cursor }, { deadline: Date.now() + ASK_MS });
      this.#cursor = cursor;
      sessionIds.forEach(this.#revoked);
    } catch {
      // The next turn asks again from the same place.
    } finally {
      this.#asking = false;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
