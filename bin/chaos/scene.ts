import { Disposables } from "../../platform/lifecycle.ts";
import type { Surroundings } from "../command.ts";
import { openClientProxies } from "./client-proxies.ts";
import { proxyModeOf, type TargetKind } from "./fault.ts";
import { injectByProgram } from "./injecting-program.ts";
import type { Inject } from "./injection.ts";
import { startLayout } from "./layout.ts";
import { injectIntoLayout } from "./layout-faults.ts";
import { MEMBER_KINDS } from "./member.ts";
import type { ChaosPlan } from "./plan.ts";

/** The system that a run plays on. */
export interface Scene extends AsyncDisposable {
  /** Where clients connect. */
  readonly urls: readonly string[];
  /** What can be hit there. */
  readonly targets: readonly TargetKind[];
  readonly inject: Inject;
  /** Resolves when all of it answers again, as far as that can be known; rejects when that takes too long. */
  readonly ready: () => Promise<void>;
  /** Its database, when it is the run's own. */
  readonly mongodbUri: string | undefined;
}

/** Starts the system that a plan asks for, or makes ready to disturb the one that it names. */
export function openScene(plan: ChaosPlan, surroundings: Pick<Surroundings, "entry" | "env" | "warn">, stop: AbortSignal): Promise<Scene> {
  return plan.urls.length > 0 ? openDeployment(plan) : openLayout(plan, surroundings, stop);
}

async function openLayout(
  { counts, kinds }: ChaosPlan,
  { entry, env, warn }: Parameters<typeof openScene>[1],
  stop: AbortSignal,
): Promise<Scene> {
  const { gateway: gateways, chat: chats, account: accounts, mongod: mongods } = counts;
  const shape = { gateways, chats, accounts, mongods, ownDisks: kinds.includes("full-disk"), entry, env: {} };
  const layout = await startLayout(shape, { env, warn, stop });
  return {
    urls: layout.gatewayUrls,
    targets: [...MEMBER_KINDS, "primary"],
    inject: injectIntoLayout(layout, stop),
    ready: () => layout.ready(),
    mongodbUri: layout.mongodbUri,
    [Symbol.asyncDispose]: () => layout[Symbol.asyncDispose](),
  };
}

async function openDeployment({ urls, program }: ChaosPlan): Promise<Scene> {
  const owned = new Disposables();
  const proxies = await openClientProxies(urls, owned);
  const byProgram = program === undefined ? undefined : injectByProgram(program);
  return {
    urls: proxies.urls,
    targets: byProgram === undefined ? ["gateway"] : [...MEMBER_KINDS, "primary"],
    inject: (scheduled) => {
      const isAtTheDoor =
        scheduled.target.kind === "gateway" && (proxyModeOf(scheduled.fault) !== undefined || scheduled.fault.kind === "cut");
      return byProgram === undefined || isAtTheDoor ? proxies.inject(scheduled) : byProgram(scheduled);
    },
    ready: async () => {},
    mongodbUri: undefined,
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
