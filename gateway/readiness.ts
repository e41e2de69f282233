import type { Copy, Services } from "./relay.ts";

const ASK_MS = 1_000;

/** What keeps the system from serving, each part by name; empty when it is ready. */
export async function findFailing(services: Services, isDraining: boolean): Promise<readonly string[]> {
  const all = Object.values(services).flatMap(({ copies }) => copies);
  const failing = await Promise.all(all.map(checkCopy));
  return [...(isDraining ? ["gateway draining"] : []), ...failing.flat()];
}

async function checkCopy({ service, relay }: Copy): Promise<readonly string[]> {
  if (!(await isServing({ relay }, ""))) {
    return [service];
  }
  if (!relay.isConnected) {
    return [`${service} stream`];
  }
  return (await isServing({ relay }, "database")) ? [] : [`${service} database`];
}

async function isServing({ relay }: Pick<Copy, "relay">, part: string): Promise<boolean> {
  try {
    return await relay.channel.isServing(part, Date.now() + ASK_MS);
  } catch {
    // Whatever it is, the part has not said that it serves.
    return false;
  }
}
