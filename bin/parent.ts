import type { Env } from "../platform/env.ts";

/** The variable that tells a process, with the value `pipe`, that its standard input is held open by the one that started it, which it must not outlive. */
export const PARENT_VARIABLE = "SALLYPORT_PARENT";

/** Aborts when the process that started this one is gone, however it ended. Never, when the variable does not say so. */
export function parentGone(env: Env): AbortSignal {
  const gone = new AbortController();
  if (env[PARENT_VARIABLE] === "pipe") {
    for (const event of ["end", "close", "error"] as const) {
      process.stdin.on(event, () => gone.abort());
    }
    process.stdin.resume();
  }
  return gone.signal;
}
