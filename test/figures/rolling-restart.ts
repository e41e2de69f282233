import { setTimeout as sleep } from "node:timers/promises";
import type { Layout } from "../../bin/chaos/layout.ts";
import { ChaosTraffic } from "../../bin/chaos/traffic.ts";
import { faultsOf } from "../../bin/chaos/verdict.ts";

const PEOPLE = 100;
const SETTLE_MS = 120_000;
const ASK_EVERY_MS = 50;

/** Every process but the database's, one after the other, asked to stop and started again while people write to each other. */
export async function measureRollingRestart(layout: Layout): Promise<string> {
  await layout.ready();
  await using traffic = await ChaosTraffic.start({ urls: layout.gatewayUrls, people: PEOPLE, seed: 5, thinkMs: 1_000 });
  const took: string[] = [];
  for (const member of layout.members.filter(({ kind }) => kind !== "mongod")) {
    const pid = member.pid() ?? Number.NaN;
    process.kill(pid, "SIGTERM");
    const since = performance.now();
    await sleep(200);
    if (isRunning(pid)) {
      process.kill(pid, "SIGTERM");
    }
    while (isRunning(pid)) {
      await sleep(ASK_EVERY_MS);
    }
    took.push(`${member.name} ${((performance.now() - since) / 1000).toFixed(1)} s`);
    await layout.ready();
  }
  const verdict = await traffic.settle(SETTLE_MS);
  const { requests, attempts, accepted, delivered, failed } = verdict;
  const faults = faultsOf(verdict);
  return [
    `from SIGTERM (and another one on the way) to the end: ${took.join(", ")}`,
    `${requests} calls in ${attempts} attempts, failed ${JSON.stringify(failed)}; ${accepted} accepted, ${delivered} delivered; faults: ${faults.join(", ") || "none"}`,
  ].join("\n");
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
