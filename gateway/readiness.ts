import type { Copy, Services } from "./relay.ts";

/** Less than the second that whoever probes usually waits. */
const ASK_MS = 750;

/** Whether a gateway can serve, and what cannot: parts by name, copies by their targets. */
export interface Readiness {
  readonly isReady: boolean;
  readonly failing: readonly string[];
}

/** A gateway is ready while it does not drain and at least one copy of each service is connected, serves and sees its database. */
export async function findReadiness(services: Services, isDraining: boolean): Promise<Readiness> {
  const states = await Promise.all(Object.values(services).map(({ service, copies }) => checkService(service, copies)));
  const missing = [...(isDraining ? ["gateway draining"] : []), ...states.flatMap((state) => state.missing)];
  return missing.length > 0 ? { isReady: false, failing: missing } : { isReady: true, failing: states.flatMap((state) => state.down) };
}

interface ServiceState {
  /** What the service lacks, when no copy of it is in order. */
  readonly missing: readonly string[];
  /** The copies that are out of order while others are not. */
  readonly down: readonly string[];
}

async function checkService(service: string, copies: readonly Copy[]): Promise<ServiceState> {
  const checks = await Promise.all(copies.map(async (copy) => ({ target: copy.relay.target, failing: await checkCopy(copy) })));
  const faults = checks.flatMap(({ target, failing }) => (failing === undefined ? [] : [{ target, failing }]));
  if (faults.length < copies.length) {
    return { missing: [], down: faults.map(({ target, failing }) => `${failing} at ${target}`) };
  }
  return { missing: copies.length === 0 ? [service] : [...new Set(faults.map(({ failing }) => failing))], down: [] };
}

/** What of a copy is out of order; undefined: nothing. */
async function checkCopy({ service, relay }: Copy): Promise<string | undefined> {
  const [serves, seesDatabase] = await Promise.all([isServing(relay, ""), isServing(relay, "database")]);
  if (!serves) {
    return service;
  }
  if (!relay.isConnected) {
    return `${service} stream`;
  }
  return seesDatabase ? undefined : `${service} database`;
}

async function isServing({ channel }: Copy["relay"], part: string): Promise<boolean> {
  try {
    return await channel.isServing(part, Date.now() + ASK_MS);
  } catch {
    // Whatever it is, the part has not said that it serves.
    return false;
  }
}
