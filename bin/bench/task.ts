import type { WindowTimes } from "./load/window.ts";

/** What a load process is asked to do. Ports are of 127.0.0.1. */
export type Task =
  /** Frames as long as a call's to a server that sends them back. */
  | (Timed & { readonly kind: "echo"; readonly port: number; readonly sockets: number; readonly depth: number })
  /** Calls that a service answers at once. */
  | (Timed & { readonly kind: "calls"; readonly ports: readonly number[]; readonly sockets: number; readonly depth: number })
  /** Messages from one of a pair to the other. */
  | (Timed & ChatTask)
  /** Sockets that are opened, exchanged, attached and closed. */
  | (Timed & { readonly kind: "exchange"; readonly ports: readonly number[]; readonly atOnce: number })
  /** Messages that wait are taken by a socket that comes back. */
  | { readonly kind: "drain"; readonly ports: readonly number[]; readonly pending: number }
  /** Sockets that are opened and then do nothing, until `release`. */
  | {
      readonly kind: "hold";
      readonly ports: readonly number[];
      readonly path: string;
      readonly sockets: number;
      readonly isExchanged: boolean;
    }
  | { readonly kind: "release" }
  /** One operation of the database, over and over. */
  | (Timed & { readonly kind: "database"; readonly uri: string; readonly operation: DatabaseOperation; readonly atOnce: number })
  /** A find of so many documents of a message's size. */
  | { readonly kind: "find"; readonly uri: string; readonly documents: number };

/** Messages from one of a pair to the other. */
export interface ChatTask {
  readonly kind: "chat";
  readonly ports: readonly number[];
  readonly pairs: number;
  readonly depth: number;
  /** Whether the recipients are there. */
  readonly isOnline: boolean;
  /** Messages a second, of all pairs together, whatever is answered; undefined: the next when one is answered. */
  readonly offeredRate?: number;
}

interface Timed {
  readonly times: WindowTimes;
}

/** What the floor of a path does with the database. */
export type DatabaseOperation = "insert-delete" | "insert" | "find-and-update";

/** In milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** What came of a task. */
export interface TaskResult {
  readonly operations: number;
  readonly seconds: number;
  readonly latency: Latency | undefined;
  /** Messages that were answered with OK, in and out of the measured time. */
  readonly accepted?: number;
  /** What went against the promises; nothing may. */
  readonly wrong: readonly string[];
}

/** What a load process says. */
export type Report =
  | { readonly kind: "began" }
  | { readonly kind: "ended" }
  | { readonly kind: "done"; readonly result: TaskResult }
  | { readonly kind: "failed"; readonly message: string };
