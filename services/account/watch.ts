import type { Database } from "../../platform/mongo.ts";
import type { AccountContext } from "./context.ts";

const LOOK_EVERY_MS = 500;

/** Looks twice a second whether the database answers, and says so. */
export function watchDatabase(
  { events, leaseWatch }: AccountContext,
  database: Database,
  report: (isUp: boolean) => void,
): AsyncDisposable {
  let wasUp = true;
  let look: Promise<void> = Promise.resolve();
  const lookOnce = async (): Promise<void> => {
    const isUp = await database.isUp();
    if (isUp) {
      leaseWatch.seenUp();
    }
    if (isUp !== wasUp) {
      wasUp = isUp;
      (isUp ? events.databaseUp : events.databaseDown)();
    }
    report(isUp);
  };

  report(true);
  let busy = false;
  const timer = setInterval(() => {
    if (!busy) {
      busy = true;
      look = lookOnce().finally(() => {
        busy = false;
      });
    }
  }, LOOK_EVERY_MS);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await look;
    },
  };
}
