import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { Metrics } from "../../../platform/metrics.ts";
import { SecurityEventType } from "../../../proto/gen/sallyport/account/v1/account.ts";
import { createAudit } from "../../../services/account/audit.ts";
import { createEvents } from "../../../services/account/events.ts";
import { endSessions } from "../../../services/account/rpc/end-sessions.ts";
import { listSecurityEvents } from "../../../services/account/rpc/list-security-events.ts";
import { logout } from "../../../services/account/rpc/logout.ts";
import { logoutEverywhere } from "../../../services/account/rpc/logout-everywhere.ts";
import { revokeSession } from "../../../services/account/rpc/revoke-session.ts";
import { setAccountLocked } from "../../../services/account/rpc/set-account-locked.ts";
import type { SecurityEventDocument } from "../../../services/account/store/schema.ts";
import type { SecurityEvents } from "../../../services/account/store/security-events.ts";
import { ADDRESS, type Bench, callOf, confirm, eventsOf, logIn, openBench, operatorCall, present, reasonOf } from "./bench.ts";

const DAY_MS = 86_400_000;

function collectionOf({ db }: Bench): ReturnType<Bench["db"]["collection"]> {
  return db.collection("securityEvents");
}

async function add({ context }: Bench, accountId: string, count: number, at: Date, type: SecurityEventType): Promise<void> {
  const events = Array.from({ length: count }, (): SecurityEventDocument => ({ _id: randomUUID(), accountId, type, occurredAt: at }));
  await context.securityEvents.add(events);
}

/** A bench whose audit writes its lines into an array, and its events into `store`. */
function audited(bench: Bench, store: SecurityEvents = bench.context.securityEvents): { bench: Bench; lines: object[] } {
  const lines: object[] = [];
  const write = (fields: object, message: string): void => void lines.push({ ...fields, message });
  const logger = { info: write, warn: write, error: write };
  const events = createEvents(logger as unknown as Parameters<typeof createEvents>[0], new Metrics());
  return { bench: { ...bench, context: { ...bench.context, audit: createAudit(store, events) } }, lines };
}

describe("the security events of an account", () => {
  it("are its logins, rotations, thefts, revocations and locks, newest first, with session and address", async () => {
    await using bench = await openBench({ reuseGraceMs: 0 });
    const alice = await logIn(bench);
    const { accountId } = alice;
    const { generation } = await present(bench, alice.chat);
    await confirm(bench, alice.sessionId, generation);
    await reasonOf(present(bench, alice.chat));
    const second = await logIn(bench);
    await logout(bench.context)({}, callOf(second));
    await setAccountLocked(bench.context)({ accountId, locked: true }, operatorCall());

    expect(await eventsOf(bench, alice)).to.deep.equal([
      ["LOCK", "", ""],
      ["REVOCATION", second.sessionId, ADDRESS],
      ["LOGIN", second.sessionId, ADDRESS],
      ["REUSE", alice.sessionId, ADDRESS],
      ["ROTATION", alice.sessionId, ADDRESS],
      ["LOGIN", alice.sessionId, ADDRESS],
    ]);
  });

  it("are stamped by the clock of the database with the moment of what they tell of", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    await present(bench, alice.chat);
    await logout(bench.context)({}, callOf(alice));

    const { events } = await listSecurityEvents(bench.context)({}, callOf(alice));
    const times = events.map(({ occurredAt }) => Number(occurredAt));

    const ended = await bench.db.collection<{ _id: string; revokedAt: Date }>("sessions").findOne({ _id: alice.sessionId });
    expect(times[0]).to.equal(ended?.revokedAt.getTime());
    expect(times).to.deep.equal(times.toSorted((one, other) => other - one));
    expect(times.at(-1)).to.be.closeTo(Date.now(), 60_000);
  });

  it("hold every accepted exchange, the repeated ones too, and none that is refused", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);

    await Promise.all([present(bench, alice.chat), present(bench, alice.chat)]);
    const { nextRefreshToken } = await present(bench, alice.chat);
    await present(bench, nextRefreshToken);
    await reasonOf(present(bench, alice.chat));
    await reasonOf(present(bench, Buffer.alloc(1024)));

    expect((await eventsOf(bench, alice)).map(([type]) => type)).to.deep.equal(["ROTATION", "ROTATION", "ROTATION", "ROTATION", "LOGIN"]);
  });

  it("hold one revocation for each session that ends, however often and by whom it is ended", async () => {
    await using bench = await openBench();
    const [first, second, third] = [await logIn(bench), await logIn(bench), await logIn(bench)];

    for (const sessionId of [second.sessionId, second.sessionId]) {
      await revokeSession(bench.context)({ sessionId }, callOf(first));
    }
    await logoutEverywhere(bench.context)({}, callOf(first));
    await endSessions(bench.context)({ accountId: first.accountId }, operatorCall());

    const revocations = (await eventsOf(bench, first)).filter(([type]) => type === "REVOCATION");
    expect(revocations).to.have.deep.members([first, second, third].map(({ sessionId }) => ["REVOCATION", sessionId, ADDRESS]));
  });

  it("do not call the end of a stolen session a revocation when its owner revokes it afterwards", async () => {
    await using bench = await openBench({ reuseGraceMs: 0 });
    const [owner, stolen] = [await logIn(bench), await logIn(bench)];
    const { generation } = await present(bench, stolen.chat);
    await confirm(bench, stolen.sessionId, generation);
    await reasonOf(present(bench, stolen.chat));

    await revokeSession(bench.context)({ sessionId: stolen.sessionId }, callOf(owner));

    expect((await eventsOf(bench, owner)).map(([type]) => type)).to.deep.equal(["REUSE", "ROTATION", "LOGIN", "LOGIN"]);
  });

  it("are of one theft, however many present the stolen token at once", async () => {
    await using bench = await openBench({ reuseGraceMs: 0 });
    const alice = await logIn(bench);
    const { generation } = await present(bench, alice.chat);
    await confirm(bench, alice.sessionId, generation);

    await Promise.all(Array.from({ length: 10 }, () => reasonOf(present(bench, alice.chat))));

    expect((await eventsOf(bench, alice)).filter(([type]) => type === "REUSE")).to.have.length(1);
  });

  it("are told apart from those that were kept before, also when all kinds are written at once", async () => {
    await using bench = await openBench();
    const { accountId } = await logIn(bench);
    const occurredAt = new Date();
    const types = ["LOGIN", "ROTATION", "REUSE", "REVOCATION", "LOCK", "ROTATION"] as const;
    const events = types.map((type, index): SecurityEventDocument => {
      return { _id: `${index}`, accountId, type: SecurityEventType[type], occurredAt };
    });
    await bench.context.securityEvents.add(events.slice(2, 4));

    const areNew = await bench.context.securityEvents.add(events);

    expect(areNew).to.deep.equal([true, true, false, false, true, true]);
    expect(await bench.context.securityEvents.list(accountId)).to.have.length(7);
  });

  it("are shown to nobody else", async () => {
    await using bench = await openBench();
    const [alice, bob] = [await logIn(bench), await logIn(bench, "bob")];

    await logoutEverywhere(bench.context)({}, callOf(alice));

    expect(await eventsOf(bench, bob)).to.deep.equal([["LOGIN", bob.sessionId, ADDRESS]]);
  });

  it("are at most 200, the newest", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    await add(bench, alice.accountId, 250, new Date(Date.now() - DAY_MS), SecurityEventType.ROTATION);

    const listed = await eventsOf(bench, alice);

    expect(listed).to.have.length(200);
    expect(listed[0]?.[0]).to.equal("LOGIN");
  });

  it("of one instant keep their order, and what follows from the other comes first", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    const at = new Date(Date.now() + DAY_MS);
    for (const type of [SecurityEventType.REVOCATION, SecurityEventType.LOGIN, SecurityEventType.ROTATION]) {
      await add(bench, alice.accountId, 20, at, type);
    }

    const [once, again] = [
      await bench.context.securityEvents.list(alice.accountId),
      await bench.context.securityEvents.list(alice.accountId),
    ];

    expect(once.map(({ _id }) => _id)).to.deep.equal(again.map(({ _id }) => _id));
    const types = once.slice(0, 60).map(({ type }) => type);
    expect(types).to.deep.equal(types.toSorted((one, other) => other - one));
  });

  it("are kept for 90 days", async () => {
    await using bench = await openBench();
    const alice = await logIn(bench);
    await add(bench, alice.accountId, 1, new Date(Date.now() - 90 * DAY_MS), SecurityEventType.LOCK);
    await add(bench, alice.accountId, 1, new Date(Date.now() - 89 * DAY_MS), SecurityEventType.REUSE);

    const indexes = await collectionOf(bench).indexes();

    expect((await eventsOf(bench, alice)).map(([type]) => type)).to.deep.equal(["LOGIN", "REUSE"]);
    expect(indexes.find(({ expireAfterSeconds }) => expireAfterSeconds !== undefined)).to.deep.include({
      key: { occurredAt: 1 },
      expireAfterSeconds: (90 * DAY_MS) / 1000,
    });
  });
});

describe("the log of an operator", () => {
  it("has a line for each security event, once, with the address and no token", async () => {
    await using opened = await openBench();
    const { bench, lines } = audited(opened);
    const alice = await logIn(bench);
    const { accountId, sessionId } = alice;
    await present(bench, alice.chat);

    await logout(bench.context)({}, callOf(alice));
    await logout(bench.context)({}, callOf(alice));

    const session = { accountId, sessionId, address: ADDRESS };
    expect(lines).to.deep.equal([
      { securityEvent: "LOGIN", ...session, message: "logged in" },
      { securityEvent: "ROTATION", ...session, service: "chat", message: "refresh token rotated" },
      { securityEvent: "REVOCATION", ...session, message: "session revoked" },
    ]);
  });

  it("has them also when they cannot be kept, and says so; what was decided stands", async () => {
    await using opened = await openBench();
    const lost = { ...opened.context.securityEvents, add: () => Promise.reject(new Error("no room")) };
    const { bench, lines } = audited(opened, lost);

    const alice = await logIn(bench);
    const exchanged = await reasonOf(present(bench, alice.chat));
    await logout(bench.context)({}, callOf(alice));

    expect(exchanged).to.equal("OK");
    expect(await reasonOf(present(bench, alice.chat))).to.equal("UNAUTHENTICATED REFRESH_TOKEN_REFUSED");
    expect(lines.map((line) => (line as { message: string }).message)).to.deep.equal([
      "security events lost",
      "logged in",
      "security events lost",
      "refresh token rotated",
      "security events lost",
      "session revoked",
    ]);
  });
});
