import type { ChatEvents } from "./events.ts";

/** What is done again and again, `everyMs` after it was last done. */
export interface Round {
  readonly name: string;
  readonly everyMs: number;
  /** Given up when `stopping` aborts. */
  readonly run: (stopping: AbortSignal) => Promise<void>;
}

/** Starts rounds, each by itself, until disposed of; that waits for those that are under way. A failed one is reported and goes on. */
export function startRounds(rounds: readonly Round[], events: Pick<ChatEvents, "roundFailed">): AsyncDisposable {
  const stopping = new AbortController();
  const running = rounds.map((round) => repeat(round, stopping.signal, events));
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function repeat({ name, everyMs, run }: Round, stopping: AbortSignal, events: Pick<ChatEvents, "roundFailed">): Promise<void> {
  while (await pause(everyMs, stopping)) {
    try {
      await run(stopping);
    } catch (error) {
      if (!stopping.aborted) {
        events.roundFailed(name, error);
      }
    }
  }
}

/** Answers whether to go on. */
function pause(ms: number, stopping: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (stopping.aborted) {
      resolve(false);
      return;
    }
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      stopping.removeEventListener("abort", stop);
      resolve(true);
    }, ms);
    stopping.addEventListener("abort", stop, { once: true });
  });
}
