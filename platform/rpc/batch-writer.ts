/** What a batch is written to: `write` calls back when it has room for the next. */
export interface BatchSink<T> {
  write(items: T[], written: () => void): void;
}

/** A batch ends at about this many bytes of items, far below gRPC's limit of 4 MiB a message. */
const MAX_BATCH_BYTES = 1_048_576;
const MAX_BATCH_ITEMS = 1024;

/**
 * Writes in one message whatever has gathered while the last one was being written, and in the turn of the event loop in which that is known: take
 * one, then all that is ready; no timer. A microtask would be too soon: they run after every frame of every socket.
 */
export class BatchWriter<T> {
  readonly #sink: BatchSink<T>;
  readonly #sizeOf: (item: T) => number;
  #queue: T[] = [];
  #sizes: number[] = [];
  #queuedBytes = 0;
  #busy = false;

  constructor(sink: BatchSink<T>, sizeOf: (item: T) => number) {
    this.#sink = sink;
    this.#sizeOf = sizeOf;
  }

  /** The bytes that wait for the sink. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Adds an item behind those that wait. */
  add(item: T): void {
    const size = this.#sizeOf(item);
    this.#queue.push(item);
    this.#sizes.push(size);
    this.#queuedBytes += size;
    if (!this.#busy) {
      this.#busy = true;
      setImmediate(() => this.#write());
    }
  }

  #write(): void {
    if (this.#queue.length === 0) {
      this.#busy = false;
      return;
    }
    let count = 0;
    let bytes = 0;
    while (count < this.#queue.length && count < MAX_BATCH_ITEMS && bytes < MAX_BATCH_BYTES) {
      bytes += this.#sizes[count] ?? 0;
      count += 1;
    }
    const batch = count === this.#queue.length ? this.#queue : this.#queue.slice(0, count);
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    this.#sizes = this.#queue.length === 0 ? [] : this.#sizes.slice(count);
    this.#queuedBytes -= bytes;
    this.#sink.write(batch, () => setImmediate(() => this.#write()));
  }
}
