import type { SallyportError } from "../../platform/errors.ts";
import type { Process, Task } from "./timeline.ts";
import type { World } from "./world.ts";

const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 1_000;

/** As gateway/retry.ts: tries until it works, as long as it is wanted and the error may pass. */
export function* retrying<T>(world: World, owner: Process, attempt: () => Task<T>, wanted: () => boolean): Task<T> {
  for (let delay = FIRST_DELAY_MS; ; delay = Math.min(delay * 2, MAX_DELAY_MS)) {
    try {
      return yield* attempt();
    } catch (error) {
      if (!wanted() || !mayPass(error as SallyportError)) {
        throw error;
      }
      const ms = Math.floor(delay / 2) + world.random.below(Math.floor(delay / 2));
      yield (resume) => world.timeline.after(ms, owner, () => resume(undefined));
      if (!wanted()) {
        throw error;
      }
    }
  }
}

function mayPass({ status }: SallyportError): boolean {
  return status === "UNAVAILABLE" || status === "DEADLINE_EXCEEDED";
}
