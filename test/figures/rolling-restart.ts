import { setTimeout as sleep } from "node:timers/promises";
import type { Layout } from "../../bin/chaos/layout.ts";
import { ChaosTraffic } from "../../bin/chaos/traffic.ts";
import { faultsOf } from "../../bin/chaos/verdict.ts";
import { openSocketsAt } from "./open-sockets.ts";

const PEOPLE = 100;
const SETTLE_MS = 120_000;
const ASK_EVERY_MS = 50;

/** Every process but the database's, one after the other, asked to stop and started again while people write to each other. */
export async function measureRollingRestart(layout: Layout): Promise<string> {
  await layout.ready();
  await using traffic = await ChaosTraffic.start({ urls: layout.gatewayUrls, people: PEOPLE, seed: 5, thinkMs: 1_000 });
  await socketsAtLeast(layout, PEOPLE * 0.9);
  const took: string[] = [];
  for (const member of layout.members.filter(({ kind }) => kind !== "mongod")) {
    const pid = member.pid() ?? Number.NaN;
    const sockets = await openSockets(layout);
    process.kill(pid, "SIGTERM");
    const since = performance.now();
    await sleep(200);
    if (isRunning(pid)) {
      process.kill(pid, "SIGTERM");
    }
    while (isRunning(pid)) {
      await sleep(ASK_EVERY_MS);
    }
    const ended = performance.now();
    await layout.ready();
    // Some come and go of their own will meanwhile.
    await socketsAtLeast(layout, sockets * 0.9);
    took.push(`${member.name} ${inSeconds(ended - since)}, ${sockets} sockets back after ${inSeconds(performance.now() - since)}`);
  }
  const verdict = await traffic.settle(SETTLE_MS);
  const { requests, attempts, accepted, delivered, failed } = verdict;
  const faults = faultsOf(verdict);
  return [
    "from SIGTERM (and another one on the way) to the end, and until nine of ten sockets were there and all was ready again:",
    ...took,
    `${requests} calls in ${attempts} attempts, failed ${JSON.stringify(failed)}; ${accepted} accepted, ${delivered} delivered; faults: ${faults.join(", ") || "none"}`,
  ].join("\n");
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

async function socketsAtLeast(layout: Layout, count: number): Promise<void> {
  while ((await openSockets(layout)) < count) {
    await sleep(ASK_EVERY_MS);
  }
}

/** At all gateways that answer. */
async function openSockets({ adminUrls }: Layout): Promise<number> {
  const counts = await Promise.all(adminUrls.map((url) => openSocketsAt(url).catch(() => 0)));
  return counts.reduce((sum, count) => sum + count, 0);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
