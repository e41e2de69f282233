import { Disposables } from "../../platform/lifecycle.ts";
import { grow } from "./growth.ts";
import { type BenchStack, type StackSetup, type StackShape, startBenchStack } from "./stack.ts";
import { LoadWorker } from "./worker.ts";

/** A stack with the load generator that its people are known to. */
export interface Place {
  readonly stack: BenchStack;
  readonly worker: LoadWorker;
}

/** The name of a stack. */
export type StackName = "single" | "double" | "grown";

/** The stacks of a run: each started when it is first asked for, and kept, so that what is measured on two of them can be measured in turns. */
const STACKS: Readonly<Record<StackName, StackShape>> = {
  single: { gateways: 1, chats: 1, accounts: 1 },
  double: { gateways: 2, chats: 2, accounts: 1 },
  /** With a database that has grown. */
  grown: { gateways: 1, chats: 1, accounts: 1 },
};

/** Starts stacks, and ends them all. */
export class Fleet implements AsyncDisposable {
  readonly #setup: Omit<StackSetup, "shape">;
  readonly #owned = new Disposables();
  readonly #places = new Map<StackName, Promise<Place>>();

  constructor(setup: Omit<StackSetup, "shape">) {
    this.#setup = setup;
  }

  /** The stack of that name. */
  at(name: StackName): Promise<Place> {
    const known = this.#places.get(name) ?? this.#start(name);
    this.#places.set(name, known);
    return known;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#places.values());
    await this.#owned[Symbol.asyncDispose]();
  }

  async #start(name: StackName): Promise<Place> {
    const stack = this.#owned.use(await startBenchStack({ ...this.#setup, shape: STACKS[name] }));
    if (name === "grown") {
      await grow(stack.mongodbUri);
    }
    const worker = new LoadWorker();
    this.#owned.defer(async () => worker[Symbol.dispose]());
    return { stack, worker };
  }
}
