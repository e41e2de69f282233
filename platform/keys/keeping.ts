import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SallyportError } from "../errors.ts";
import type { KeyEvents } from "./events.ts";
import { filesAt, type KeyPlace } from "./place.ts";
import { type Requirement, requireKeys } from "./required.ts";
import type { KeyRing } from "./ring.ts";
import type { KeyUses } from "./uses.ts";

/** What keeps the keys of a service. */
export interface Keeping extends Requirement {
  readonly events: KeyEvents;
}

/** How often every ring reads its directory, used or not: a key that is published is known to every copy within twice this time. */
const READ_EVERY_MS = 1_000;
const RETRY_MS = 250;
const ANYBODY = 0o007;

/**
 * Keeps the keys of a service while it runs: what is published or activated is taken up, and no key makes anything before it is on record. Waits for the database.
 * @throws Error when a key is missing that data needs.
 */
export async function keepKeys(keeping: Keeping): Promise<AsyncDisposable> {
  const { rings, uses, events } = keeping;
  await warnOfExposed(rings, events);
  await whenAnswered(() => requireKeys(keeping));
  for (const ring of rings) {
    await whenAnswered(() => ring.recordBy(recordOf(ring.place, uses, events)));
  }
  return readOn(rings, events);
}

function recordOf({ kind }: KeyPlace, uses: KeyUses, events: KeyEvents): Parameters<KeyRing["recordBy"]>[0] {
  let isFirst = true;
  return {
    begin: async ({ kid }) => {
      await uses.begin(kind, kid);
      if (!isFirst) {
        events.keyActivated(kind, kid);
      }
      isFirst = false;
    },
    note: ({ kid }) => uses.note(kind, kid),
  };
}

function readOn(rings: readonly KeyRing[], events: KeyEvents): AsyncDisposable {
  const watches = rings.map((ring) => createWatch(ring, events));
  let reading: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    reading = Promise.all(watches.map((look) => look()));
  }, READ_EVERY_MS);
  return {
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await reading;
    },
  };
}

/** Reads a ring's directory, and tells the first time that it fails and the first time that it does not. */
function createWatch(ring: KeyRing, events: KeyEvents): () => Promise<void> {
  const { kind } = ring.place;
  let wasReadable = true;
  return async () => {
    const trouble = await ring.reloadSoon().then(
      () => undefined,
      (error: SallyportError) => error,
    );
    const isReadable = trouble === undefined;
    if (isReadable && !wasReadable) {
      events.keysReadable(kind);
    } else if (!isReadable && wasReadable) {
      events.keysUnreadable(kind, trouble.cause);
    }
    wasReadable = isReadable;
  };
}

async function warnOfExposed(rings: readonly KeyRing[], events: KeyEvents): Promise<void> {
  for (const { place } of rings) {
    for (const file of new Set([place.activeFile, ...(await filesAt(place))])) {
      // Gone meanwhile: a rotation is under way.
      const mode = await stat(file).then(
        (found) => found.mode,
        () => 0,
      );
      if ((mode & ANYBODY) !== 0) {
        events.keyExposed(file);
      }
    }
  }
}

/** Waits for a database that went away since it was prepared. */
async function whenAnswered(ask: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (!(error instanceof SallyportError) || error.reason !== "DATABASE_UNAVAILABLE") {
        throw error;
      }
      await sleep(RETRY_MS);
    }
  }
}
