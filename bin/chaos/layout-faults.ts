import { setTimeout as sleep } from "node:timers/promises";
import { lockWrites, stepDown, unlockWrites, writeDown } from "../mongod/member-set.ts";
import { type Fault, proxyModeOf, type Target } from "./fault.ts";
import type { Inject, Skipped } from "./injection.ts";
import type { Layout } from "./layout.ts";
import type { Member } from "./member.ts";
import type { DatabaseMember } from "./replica-set.ts";

const STEP_DOWN_SECONDS = 10;
const ASK_EVERY_MS = 50;

/** Does faults to the processes of a layout. */
export function injectIntoLayout(layout: Layout, stop: AbortSignal): Inject {
  return async ({ fault, target }) => {
    const member = await findMember(layout, target, stop);
    const pid = member?.pid();
    if (member === undefined || pid === undefined) {
      return { skipped: "it does not run" };
    }
    const server = layout.database.members.find(({ name }) => name === member.name);
    if (fault.kind === "pause") {
      layout.wakeInTheEnd(pid);
    }
    const done = await act(fault, { member, server, pid });
    if ("skipped" in done) {
      return done;
    }
    const isOver = async (): Promise<boolean> =>
      done.isOver() && (await member.isReady()) && (server === undefined || (await layout.database.isWhole()));
    return { victim: member.name, heal: done.heal, isOver };
  };
}

/** Whom a fault hits. */
interface Victim {
  readonly member: Member;
  /** The same, when it is a server of the database. */
  readonly server: DatabaseMember | undefined;
  readonly pid: number;
}

type Done = { readonly heal: () => Promise<void>; readonly isOver: () => boolean };

async function act(fault: Fault, victim: Victim): Promise<Done | Skipped> {
  const { member, pid } = victim;
  switch (fault.kind) {
    case "kill":
      process.kill(pid, "SIGKILL");
      return { heal: nothing, isOver: () => member.pid() !== undefined && member.pid() !== pid };
    case "pause":
      process.kill(pid, "SIGSTOP");
      return healing(async () => wake(victim));
    case "cut":
      member.proxy.cut();
      return healing(nothing);
    case "delay":
    case "black-hole":
    case "half":
    case "refuse":
      await member.proxy.setMode(proxyModeOf(fault) ?? { kind: "pass" });
      return healing(() => member.proxy.setMode({ kind: "pass" }));
    case "step-down":
    case "read-only":
    case "full-disk":
      return victim.server === undefined
        ? { skipped: `${member.name} is no database` }
        : actOnDatabase(fault.kind, victim.server, victim.pid);
  }
}

async function actOnDatabase(kind: "step-down" | "read-only" | "full-disk", server: DatabaseMember, pid: number): Promise<Done | Skipped> {
  switch (kind) {
    case "step-down":
      await stepDown(server.port, STEP_DOWN_SECONDS);
      return healing(nothing);
    case "read-only":
      await lockWrites(server.port);
      // A server that died meanwhile has no lock any more.
      return healing(async () => (server.pid() === pid ? unlockWrites(server.port) : undefined));
    case "full-disk":
      if (server.disk === undefined) {
        return { skipped: "its disk is not its own: that takes Linux, and root" };
      }
      await server.disk.fill();
      // It dies of a full disk, at its next checkpoint at the latest.
      await writeDown(server.port).catch(nothing);
      return healing(server.disk.free);
  }
}

function healing(heal: () => Promise<void>): Done {
  return { heal, isOver: () => true };
}

async function nothing(): Promise<void> {}

/** Has a paused process go on, unless another one took its place. */
function wake({ member, pid }: Victim): void {
  if (member.pid() === pid) {
    process.kill(pid, "SIGCONT");
  }
}

async function findMember({ members, database }: Layout, target: Target, stop: AbortSignal): Promise<Member | undefined> {
  if (target.kind !== "primary") {
    return members.find(({ kind, index }) => kind === target.kind && index === target.index);
  }
  for (;;) {
    const primary = await database.primary();
    if (primary !== undefined) {
      return primary;
    }
    await sleep(ASK_EVERY_MS, undefined, { signal: stop });
  }
}
