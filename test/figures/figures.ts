import { resolve } from "node:path";
import { type Layout, startLayout } from "../../bin/chaos/layout.ts";
import type { SetSettings } from "../../bin/mongod/member-set.ts";
import { measureDisplacement } from "./displacement.ts";
import { measureFailover } from "./failover.ts";
import { measureGatewayDeath } from "./gateway-death.ts";
import { measureHalfOpen } from "./half-open.ts";
import { measureRollingRestart } from "./rolling-restart.ts";
import { measureSimultaneous } from "./simultaneous.ts";

/** How a figure is measured, and what the processes and the servers of the database run with for it. */
interface Figure {
  readonly measure: (layout: Layout) => Promise<string>;
  readonly env?: Readonly<Record<string, string>>;
  readonly setSettings?: SetSettings;
}

/** As docs/operations.md advises. */
const ADVISED: SetSettings = { electionTimeoutMillis: 5_000, heartbeatTimeoutSecs: 5, catchUpTimeoutMillis: 1_000 };

const FIGURES: Readonly<Record<string, Figure>> = {
  displacement: { measure: measureDisplacement },
  simultaneous: { measure: measureSimultaneous },
  "gateway-death": { measure: measureGatewayDeath },
  "half-open": { measure: measureHalfOpen },
  failover: { measure: measureFailover },
  "failover-advised": { measure: measureFailover, setSettings: ADVISED },
  "failover-mongodb-default": { measure: measureFailover, setSettings: {} },
  "rolling-restart": { measure: measureRollingRestart, env: { GATEWAY_DRAIN_MS: "10000" } },
};

const ENTRY = resolve(import.meta.dirname, "../../bin/sallyport.js");

/** Measures what is named on the command line, or everything, each on a layout of two copies of each process and three database servers. */
async function main(names: readonly string[]): Promise<void> {
  for (const [name, { measure, env = {}, ...settings }] of Object.entries(FIGURES).filter(
    ([each]) => names.length === 0 || names.includes(each),
  )) {
    const shape = { gateways: 2, chats: 2, accounts: 2, mongods: 3, entry: ENTRY, env, ...settings };
    await using layout = await startLayout(shape, { env: process.env, warn: console.error, stop: new AbortController().signal });
    await layout.ready();
    console.log(`${name}\n  ${(await measure(layout)).replaceAll("\n", "\n  ")}`);
  }
}

await main(process.argv.slice(2));
