/** Something that waits in a task: calls back once, later. */
export type Wait = (resume: (value: unknown) => void, fail: (error: unknown) => void) => void;

/** What a process does step by step; at each `yield` others may run. */
export type Task<T> = Generator<Wait, T, unknown>;

/** Hears what happens, and when. */
export type Log = (at: number, line: string) => void;

/** A process of the model. What it was about to do is forgotten when it crashes, and comes late when it is paused. */
export class Process {
  readonly name: string;
  /** Counts its runs. */
  life = 0;
  isUp = true;
  /** Until then it is paused. */
  resumeAt = 0;

  constructor(name: string) {
    this.name = name;
  }
}

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly owner: Process | undefined;
  readonly life: number;
  readonly act: () => void;
}

/** When every history begins, in milliseconds since the epoch. */
export const START_MS = 1_700_000_000_000;

/** Virtual time: what is due happens in the order of its time, and of being put down among equals. */
export class Timeline {
  now: number = START_MS;
  /** How much has happened. */
  steps = 0;
  /** Nothing happens any more. */
  isStopped = false;
  /** Hears what happens, where somebody wants to know. */
  readonly log: ((line: string) => void) | undefined;
  readonly #heap: Entry[] = [];
  readonly #soon: (() => void)[] = [];
  #order = 0;

  constructor(log?: Log) {
    this.log = log && ((line) => log(this.now, line));
  }

  /** Does something in a while; for the process that it concerns, if any. */
  after(ms: number, owner: Process | undefined, act: () => void): void {
    this.at(this.now + ms, owner, act);
  }

  /** Does something at a time that is not past. */
  at(time: number, owner: Process | undefined, act: () => void): void {
    this.#push({ at: time, order: ++this.#order, owner, life: owner?.life ?? 0, act });
  }

  /** Does something when what happens at the moment is done, before anything else: a microtask. */
  soon(act: () => void): void {
    this.#soon.push(act);
  }

  /** Lets everything happen that is due until a time. */
  runUntil(time: number): void {
    for (let next = this.#heap[0]; next !== undefined && next.at <= time && !this.isStopped; next = this.#heap[0]) {
      this.#pop();
      this.#meet(next);
    }
    this.now = Math.max(this.now, time);
  }

  /** Runs a task of a process up to its first wait; later the rest, if the process lives to see it. */
  spawn<T>(task: Task<T>, done: (value: T) => void = ignore, failed: (error: unknown) => void = raise): void {
    new RunningTask(task, done, failed).next(undefined);
  }

  #meet(entry: Entry): void {
    const { owner } = entry;
    if (owner !== undefined) {
      if (owner.life !== entry.life || !owner.isUp) {
        return;
      }
      if (owner.resumeAt > entry.at) {
        this.#push({ ...entry, at: owner.resumeAt, order: ++this.#order });
        return;
      }
    }
    this.now = entry.at;
    this.steps += 1;
    entry.act();
    const soon = this.#soon;
    if (soon.length > 0) {
      for (let index = 0; index < soon.length; index += 1) {
        soon[index]?.();
      }
      soon.length = 0;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (isBefore(above, entry)) {
        break;
      }
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) {
      return;
    }
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as Entry)) {
        child += 1;
      }
      const below = heap[child] as Entry;
      if (isBefore(last, below)) {
        break;
      }
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}

class RunningTask<T> {
  readonly #task: Task<T>;
  readonly #done: (value: T) => void;
  readonly #failed: (error: unknown) => void;

  constructor(task: Task<T>, done: (value: T) => void, failed: (error: unknown) => void) {
    this.#task = task;
    this.#done = done;
    this.#failed = failed;
  }

  readonly next = (value: unknown): void => this.#go(value, false);

  readonly throw = (error: unknown): void => this.#go(error, true);

  #go(input: unknown, isError: boolean): void {
    let step: IteratorResult<Wait, T>;
    try {
      step = isError ? this.#task.throw(input) : this.#task.next(input);
    } catch (error) {
      this.#failed(error);
      return;
    }
    if (step.done) {
      this.#done(step.value);
    } else {
      step.value(this.next, this.throw);
    }
  }
}

function isBefore(one: Entry, other: Entry): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function ignore(): void {
  // Nobody waits for it.
}

function raise(error: unknown): void {
  throw error;
}
