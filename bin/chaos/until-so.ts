import { setTimeout as sleep } from "node:timers/promises";

const ASK_EVERY_MS = 100;
/** A database reads its journal and catches up; a machine may be busy. */
const WITHIN_MS = 180_000;

/** Asks until it is so. @throws Error with what is not so, when too much time has passed, also with a question that is not answered; or when the signal aborts */
export async function untilSo(
  isSo: () => Promise<boolean>,
  whatIsNot: string,
  stop: AbortSignal,
  withinMs: number = WITHIN_MS,
): Promise<void> {
  const over = new AbortController();
  const late = sleep(withinMs, undefined, { signal: over.signal }).then(() =>
    Promise.reject(new Error(`${whatIsNot} after ${withinMs} ms`)),
  );
  try {
    await Promise.race([ask(isSo, AbortSignal.any([stop, over.signal])), late]);
  } finally {
    over.abort();
  }
}

async function ask(isSo: () => Promise<boolean>, over: AbortSignal): Promise<void> {
  while (!(await isSo())) {
    await sleep(ASK_EVERY_MS, undefined, { signal: over });
  }
}
