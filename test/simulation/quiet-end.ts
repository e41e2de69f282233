import { GRACE_MS } from "./account-copy.ts";
import type { Device } from "./device.ts";
import type { World } from "./world.ts";

/** Longer than notices of cut wires, the closing of displaced sockets and two heal rounds take. */
const SETTLING_MS = 12_000;
const HEALING_MS = 6_000;
/** Longer than it takes to attach where nothing breaks. */
const ATTACHING_MS = 2_000;
/** Longer than acknowledgements are handed on after their socket's end. */
const PARTING_MS = 2_000;
/** Longer than what was given up without a word is kept. */
const LAPSING_MS = 45_000;

/** Nothing breaks any more: everything is brought, answered, found out, and forgotten in the end. */
export function comeToRest(world: World): void {
  world.timeline.log?.("from here on nothing breaks");
  world.calmDown();
  pass(world, SETTLING_MS);
  requireRest(world, false);
  for (const accountId of world.accountIds) {
    const devices = world.devices.filter((device) => device.accountId === accountId);
    if (!devices.some(isListening)) {
      devices[0]?.connect();
    }
  }
  pass(world, SETTLING_MS / 2);
  sendTheRest(world);
  pass(world, SETTLING_MS / 2);
  // Whoever was logged out for a thief's sake is on the way back.
  if (!world.devices.every((device) => !device.wantsOnline || hasListened(world, device))) {
    pass(world, SETTLING_MS);
  }
  requireRest(world, true);
  exposeThief(world);
  part(world);
}

/** Devices of one account take turns: each newer socket displaces the older one, which closes in the end. */
function sendTheRest(world: World): void {
  for (const device of world.devices) {
    if (!device.outbox.isEmpty) {
      if (device.newest?.isListening !== true) {
        device.connect();
      }
      pass(world, SETTLING_MS / 2);
    }
  }
}

/** Whoever is attached has all that waits; in the end everybody is. */
function requireRest(world: World, isEnd: boolean): void {
  const { letterWatch, database, verdict } = world;
  const listening = world.accountIds.filter((accountId) =>
    world.devices.some((one) => one.accountId === accountId && hasListened(world, one)),
  );
  letterWatch.requireBrought(isEnd ? world.accountIds : listening);
  for (const accountId of world.accountIds) {
    requireOneCurrent(world, accountId);
  }
  if (!isEnd) {
    return;
  }
  for (const { process, outbox } of world.devices) {
    if (!outbox.isEmpty) {
      verdict.fail("stuck", `${process.name} cannot send`);
    }
  }
  for (const id of database.sends.keys()) {
    letterWatch.requireKept(id);
  }
  letterWatch.requireEnded();
}

function requireOneCurrent({ devices, thief, database, verdict, timeline }: World, accountId: string): void {
  const all = thief === undefined ? devices : [...devices, thief];
  const sockets = all.filter((one) => one.accountId === accountId).flatMap((one) => one.sockets.filter((socket) => socket.isListening));
  if (sockets.some(({ openedAt }) => timeline.now - openedAt < ATTACHING_MS)) {
    return;
  }
  if (sockets.length > 1) {
    verdict.fail("two-current", `${sockets.map(({ name }) => name).join()} have the events of ${accountId}`);
  }
  const [socket] = sockets;
  const current = database.presence.get(accountId)?.current;
  // Nobody: a takeover whose answer was lost was given up when its socket ended; whoever had the events has them still.
  if (socket !== undefined && current !== undefined && `${current.incarnation}/${current.connection}` !== socket.name) {
    verdict.fail(
      "two-current",
      `${socket.name} listens for ${accountId}, but the presence names ${current.incarnation}/${current.connection}`,
    );
  }
}

/** Owner and thief present what they have, in turn: one of them shows a retired token in the end. */
function exposeThief(world: World): void {
  const { thief, devices, database, tokenWatch, verdict } = world;
  if (thief === undefined || !tokenWatch.isTouched(thief.token.sessionId)) {
    return;
  }
  const { sessionId } = thief.token;
  const owner = devices.find(({ token }) => token.sessionId === sessionId);
  for (const device of owner === undefined ? [] : [owner, thief, owner, thief]) {
    if (database.sessions[sessionId]?.revokedAt === undefined) {
      device.disconnect(true);
      pass(world, 100);
      device.wantsOnline = false;
      device.connect();
      pass(world, GRACE_MS + 1_000);
    }
  }
  if (database.sessions[sessionId]?.revokedAt === undefined) {
    verdict.fail("theft-missed", `thief and owner both go on with session ${sessionId}`);
  }
  pass(world, SETTLING_MS);
}

function part(world: World): void {
  const { chats, gateways, devices, thief, verdict } = world;
  for (const device of thief === undefined ? devices : [...devices, thief]) {
    device.leave();
  }
  pass(world, PARTING_MS);
  if (chats.some(({ size }) => size > 0)) {
    pass(world, LAPSING_MS);
  }
  for (const { process, size } of chats) {
    if (size > 0) {
      verdict.fail("never-forgotten", `${process.name} remembers ${size} inboxes in which nothing goes on`);
    }
  }
  for (const { process, sockets } of gateways) {
    if (sockets.size > 0) {
      verdict.fail("never-forgotten", `${process.name} remembers ${sockets.size} sockets`);
    }
  }
}

function isListening({ sockets }: Device): boolean {
  return sockets.some((socket) => socket.isListening);
}

/** For longer than a round of healing takes. */
function hasListened({ timeline }: World, { sockets }: Device): boolean {
  return sockets.some(({ isListening: listens, openedAt }) => listens && timeline.now - openedAt > HEALING_MS);
}

function pass({ timeline }: World, ms: number): void {
  timeline.runUntil(timeline.now + ms);
}
