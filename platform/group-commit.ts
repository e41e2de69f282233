import { SallyportError } from "./errors.ts";

/** Runs queued items in batches, one batch at a time: take all that is queued, commit them together, answer each, loop. */
export class GroupCommit<Item, Result> {
  readonly #commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly #maxItems: number;
  readonly #taken: (items: number) => void;
  #queue: { item: Item; resolve: (result: Result) => void; reject: (error: unknown) => void }[] = [];
  #running = false;

  /**
   * `commit` answers one result for each item, in order; when it rejects, every item of its batch is rejected with that error, and when it
   * was UNAVAILABLE, what was queued behind it too.
   * `taken` hears how large each batch is.
   */
  constructor(
    commit: (items: readonly Item[]) => Promise<readonly Result[]>,
    maxItems = 1000,
    taken: (items: number) => void = () => undefined,
  ) {
    this.#commit = commit;
    this.#maxItems = maxItems;
    this.#taken = taken;
  }

  /** Queues an item; settles with its batch. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      if (!this.#running) {
        this.#running = true;
        // Whatever else the current turn adds goes into the same batch.
        queueMicrotask(() => void this.#run());
      }
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, this.#maxItems);
      this.#taken(batch.length);
      try {
        const results = await this.#commit(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => {
          resolve(results[index] as Result);
        });
      } catch (error) {
        // What gathered behind a batch that waited for the database in vain has waited as long: it is not made to wait once more.
        const behind = error instanceof SallyportError && error.status === "UNAVAILABLE" ? this.#queue.splice(0) : [];
        for (const { reject } of [...batch, ...behind]) {
          reject(error);
        }
      }
    }
    this.#running = false;
  }
}
