import { Device } from "./device.ts";
import type { Stimulus } from "./plan.ts";
import type { World } from "./world.ts";

const RESTART_MS = 4_000;
const LONGEST_OUTAGE_MS = 12_000;

/** Does to a world what the plan says. */
export function stimulate(world: World, stimulus: Stimulus): void {
  const { kind, one, other, ms } = stimulus;
  const device = choose(world.devices, one);
  const accountId = choose(world.accountIds, other);
  switch (kind) {
    case "connect":
      if (device.sockets.length === 0) {
        device.connect();
      }
      break;
    case "disconnect":
      disconnect(world, device, other);
      break;
    case "connectAgain":
      device.connect();
      break;
    case "crashDevice":
      device.crash();
      break;
    case "send":
      device.write(accountId);
      break;
    case "repeatSend":
      repeatSend(world, other, false);
      break;
    case "sendOther":
      repeatSend(world, other, true);
      break;
    case "block":
      world.database.blocks.add(`${accountId}:${device.accountId}`);
      break;
    case "unblock":
      world.database.blocks.delete(`${accountId}:${device.accountId}`);
      break;
    case "crash":
      crash(world, one, ms);
      break;
    case "pause":
      pause(world, one, ms);
      break;
    case "cutRelay":
      cutSome(world, one);
      break;
    case "outage":
      world.timeline.log?.("the database has no primary");
      world.database.outageUntil = world.timeline.now + (ms % LONGEST_OUTAGE_MS);
      break;
    case "steal":
      world.timeline.log?.(`a thief copies generation ${device.token.generation} of ${device.process.name}`);
      world.thief = new Device(world, "thief", device.accountId, device.token, true);
      break;
    case "thieve":
      world.thief?.connect();
      break;
  }
}

function disconnect(world: World, device: Device, how: number): void {
  if (how % 4 === 0) {
    device.leave();
  } else {
    device.disconnect(world.plan.isCalm || how % 4 === 1);
  }
}

function repeatSend(world: World, which: number, isOther: boolean): void {
  const accepted = [...world.letters.values()].filter(({ isSettled }) => isSettled);
  if (accepted.length === 0) {
    return;
  }
  const outgoing = choose(accepted, which);
  const sender = world.devices.find(({ process }) => process.name === outgoing.sender);
  if (isOther) {
    sender?.write(outgoing.letter.recipientId, outgoing.letter.id);
  } else {
    sender?.outbox.add(outgoing);
  }
}

function crash(world: World, which: number, ms: number): void {
  const victim = choose(world.processes, which);
  const { process } = victim;
  if (!process.isUp) {
    return;
  }
  world.timeline.log?.(`${process.name} crashes`);
  world.network.cutAll(process);
  process.life += 1;
  process.isUp = false;
  process.resumeAt = 0;
  world.timeline.after(50 + (ms % RESTART_MS), undefined, () => {
    world.timeline.log?.(`${process.name} starts again`);
    victim.start();
  });
}

/** Others may give a process up that does not answer. */
function pause(world: World, which: number, ms: number): void {
  const { process } = choose(world.processes, which);
  world.timeline.log?.(`${process.name} pauses for ${ms} ms`);
  process.resumeAt = Math.max(process.resumeAt, world.timeline.now + ms);
  if (world.random.below(2) === 0) {
    const wires = world.network.of(process);
    world.timeline.after(world.random.below(ms + 1), undefined, () => {
      for (const wire of wires) {
        wire.cut();
      }
    });
  }
}

function cutSome(world: World, which: number): void {
  const wires = world.network.of(choose(world.processes, which).process);
  if (wires.length > 0) {
    world.timeline.log?.("a wire is cut");
    world.random.pick(wires).cut();
  }
}

function choose<T>(from: readonly T[], which: number): T {
  return from[which % from.length] as T;
}
