import { setTimeout as sleep } from "node:timers/promises";

/** A process that can be made to end. */
export interface Endable {
  readonly name: string;
  /** Resolves when it is gone. */
  readonly ended: Promise<unknown>;
  /** Does nothing once it is gone. */
  readonly signal: (name: NodeJS.Signals) => void;
}

/** Asks a process to end and waits for it; one that has not ended after `killAfterMs` is killed, which is reported. A paused one is woken to end by itself. */
export async function endProcess(target: Endable, killAfterMs: number, warn: (line: string) => void): Promise<void> {
  target.signal("SIGTERM");
  target.signal("SIGCONT");
  const waited = new AbortController();
  const limit = sleep(killAfterMs, "late" as const, { signal: waited.signal }).catch(() => undefined);
  const outcome = await Promise.race([target.ended, limit]);
  waited.abort();
  if (outcome === "late") {
    warn(`sallyport: ${target.name} did not end within ${killAfterMs} ms and is killed`);
    target.signal("SIGKILL");
    await target.ended;
  }
}
