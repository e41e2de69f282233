import { type OpenSocket, webSocketOpener } from "./socket.ts";

/** What the library needs of the platform that it runs on; a test gives its own. */
export interface Surroundings {
  readonly openSocket: OpenSocket;
  readonly fetch: typeof globalThis.fetch;
  /** The present, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Runs something once after some milliseconds; the result takes that back. */
  readonly after: After;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
}

/** A timer: runs something once after some milliseconds; the result takes that back. */
export type After = (ms: number, run: () => void) => () => void;

/** Browsers, and Node from version 22 on. @throws TypeError where there is no global WebSocket. */
export function standardSurroundings(openSocket?: OpenSocket): Surroundings {
  if (openSocket === undefined && typeof globalThis.WebSocket === "undefined") {
    throw new TypeError("there is no global WebSocket here: give one, as client/node.ts does");
  }
  return {
    openSocket: openSocket ?? webSocketOpener(globalThis.WebSocket),
    fetch: (...request) => globalThis.fetch(...request),
    now: () => Date.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
  };
}
