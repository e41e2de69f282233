const MAX_REMEMBERED = 10_000;

/** The messages whose bodies were found to be unreadable: each is reported once, until it can be read again. */
export class Unreadable {
  readonly #report: (messageId: string, error: unknown) => void;
  readonly #ids = new Set<string>();

  constructor(report: (messageId: string, error: unknown) => void) {
    this.#report = report;
  }

  /** How many there are. */
  get size(): number {
    return this.#ids.size;
  }

  /** A body could not be opened. */
  add(messageId: string, error: unknown): void {
    if (this.#ids.has(messageId)) {
      return;
    }
    this.#ids.add(messageId);
    if (this.#ids.size > MAX_REMEMBERED) {
      const [oldest] = this.#ids;
      this.#ids.delete(oldest ?? "");
    }
    this.#report(messageId, error);
  }

  /** A body could be opened. */
  drop(messageId: string): void {
    this.#ids.delete(messageId);
  }
}
