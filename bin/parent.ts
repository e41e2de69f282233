import type { Env } from "../platform/env.ts";

/** The variable that tells a role, with the value `pipe`, that its standard input is held open by the launcher that it must not outlive. */
export const PARENT_VARIABLE = "SALLYPORT_PARENT";

/** Aborts when the launcher that started this process is gone, however it ended. Never, when no launcher did. */
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
