import { expect } from "chai";
import { type Input, isIdle, isKnown, isSettled } from "../../../../../services/chat/delivery/inbox-state.ts";
import { acceptedAs, activated, drained, GATEWAY, gatewayNamed, messageNamed, OUTAGE, offered, play } from "./inbox-scenario.ts";

const STORED = acceptedAs("stored");
const EMPTY_PAGE = { kind: "pageRead", epoch: 2, messages: [], exhausted: true } as const;
const FULL_READ = "read 256 of 262144";

describe("the inbox core: a message that is offered", () => {
  it("is stored when nobody is attached", () => {
    expect(play(offered("a")).short).to.deep.equal(["store a"]);
  });

  it("is stored when a socket is attached but not activated", () => {
    const [attached] = activated();

    expect(play(...(attached ? [attached] : []), offered("a")).short).to.deep.equal(["store a"]);
  });

  it("is stored while the backlog is being read", () => {
    expect(play(...activated(), offered("a")).short).to.deep.equal(["store a"]);
  });

  it("is pushed at once and lingers when the socket has everything older", () => {
    expect(play(...drained(), offered("a")).short).to.deep.equal(["push a to 1", "linger a"]);
  });

  it("is stored when the window is full of messages, and those after it too", () => {
    const many = Array.from({ length: 256 }, (_, index) => offered(`m${index}`, index + 1));
    const freed = [
      { kind: "acknowledged", ids: ["m0"] },
      { kind: "recorded", id: "m0", accepted: acceptedAs("delivered") },
    ] as const;

    expect(play(...drained(), ...many, offered("late", 300)).short).to.deep.equal(["store late"]);
    expect(play(...drained(), ...many, offered("late", 300), ...freed, offered("later", 301)).short).to.deep.equal(["store later"]);
  });

  it("may exceed the bytes that are left, but not follow when none are", () => {
    const first = [...drained(), offered("a", 1, 262_143), offered("b", 2, 65_536)];

    expect(play(...first).short).to.deep.equal(["push b to 1", "linger b"]);
    expect(play(...first, offered("c", 3)).short).to.deep.equal(["store c"]);
  });

  it("is not pushed again where a copy that is gone has pushed it", () => {
    const again = activated(1, 1, GATEWAY, ["a"]);

    expect(play(...again, offered("a")).short).to.deep.equal(["linger a"]);
    expect(play(...again, { kind: "acknowledged", ids: ["a"] }, offered("a")).short).to.deep.equal(["record a"]);
  });

  it("is joined by its repeat while it is under way", () => {
    expect(play(offered("a"), offered("a")).short).to.deep.equal([]);
  });
});

describe("the inbox core: a message that was pushed", () => {
  it("is written down as delivered when it is acknowledged in time, then answered", () => {
    const acknowledged = [...drained(), offered("a"), { kind: "acknowledged", ids: ["a"] }] as const;
    const recorded = play(...acknowledged, { kind: "recorded", id: "a", accepted: acceptedAs("delivered") });

    expect(play(...acknowledged).short).to.deep.equal(["record a"]);
    expect(recorded.short).to.deep.equal(["answer a delivered", "confirm a"]);
    expect(isKnown(recorded.state, "a")).to.equal(false);
  });

  it("is stored when its time is over, and stays in flight", () => {
    const lingered = [...drained(), offered("a"), { kind: "lingered", id: "a" }] as const;
    const stored = play(...lingered, { kind: "stored", id: "a", accepted: STORED });

    expect(play(...lingered).short).to.deep.equal(["store a"]);
    expect(stored.short).to.deep.equal(["answer a stored"]);
    expect(stored.state.current?.inFlight.has("a")).to.equal(true);
    expect(stored.state.current?.backlog.kind).to.equal("drained");
  });

  it("is forgotten once it is stored when it is acknowledged while it is being stored", () => {
    const acknowledged = [...drained(), offered("a"), { kind: "lingered", id: "a" }, { kind: "acknowledged", ids: ["a"] }] as const;

    expect(play(...acknowledged).short).to.deep.equal([]);
    expect(play(...acknowledged, { kind: "stored", id: "a", accepted: STORED }).short).to.deep.equal(["answer a stored", "forget a"]);
  });

  it("ignores the end of its linger once it is acknowledged", () => {
    const late = play(...drained(), offered("a"), { kind: "acknowledged", ids: ["a"] }, { kind: "lingered", id: "a" });

    expect(late.short).to.deep.equal([]);
  });

  it("is stored at once when its socket goes away", () => {
    const detached = { kind: "detached", incarnation: "g1", connection: 1, epoch: 1 } as const;

    expect(play(...drained(), offered("a"), detached).short).to.deep.equal(["store a"]);
    expect(play(...drained(), offered("a"), { kind: "gatewayLeft", gateway: GATEWAY }).short).to.deep.equal(["store a"]);
  });

  it("is stored at once when its account is deleted, and pushed to nobody any more", () => {
    const abandoned = play(...drained(), ...activated(2).slice(0, 1), offered("a"), { kind: "abandoned" });
    const stored = play(...drained(), offered("a"), { kind: "abandoned" }, { kind: "stored", id: "a", accepted: STORED });

    expect(abandoned.short).to.deep.equal(["store a"]);
    expect([abandoned.state.current, abandoned.state.candidates.size]).to.deep.equal([undefined, 0]);
    expect(stored.short).to.deep.equal(["answer a stored"]);
    expect(isIdle(stored.state)).to.equal(true);
  });

  it("is landed when the ledger says that it was delivered elsewhere", () => {
    const ended = play(
      ...drained(),
      offered("a"),
      { kind: "lingered", id: "a" },
      { kind: "stored", id: "a", accepted: acceptedAs("delivered") },
    );

    expect(ended.short).to.deep.equal(["answer a delivered"]);
    expect(ended.state.current?.inFlight.size).to.equal(0);
  });
});

describe("the inbox core: an outage", () => {
  const storing = [...drained(), offered("a"), { kind: "lingered", id: "a" }] as const;
  const failed = { kind: "failed", id: "a", error: OUTAGE } as const;

  it("refuses a message that nobody has had, and forgets it", () => {
    const outcome = play(offered("a"), failed);

    expect(outcome.short).to.deep.equal(["refuse a"]);
    expect(isIdle(outcome.state)).to.equal(true);
  });

  it("keeps what was pushed, so that its acknowledgement is written down", () => {
    expect(play(...storing, failed).short).to.deep.equal(["refuse a after a push"]);
    expect(play(...storing, failed, { kind: "acknowledged", ids: ["a"] }).short).to.deep.equal(["record a"]);
  });

  it("lets a repeat linger instead of pushing it again", () => {
    expect(play(...storing, failed, offered("a")).short).to.deep.equal(["linger a"]);
  });

  it("tries again to write down what was acknowledged; a repeat tries at once", () => {
    const acknowledged = [...storing, { kind: "acknowledged", ids: ["a"] }, failed] as const;

    expect(play(...acknowledged).short).to.deep.equal(["refuse a after a push", "disappoint a", "retryLater a"]);
    expect(play(...acknowledged, { kind: "retried", ids: ["a"] }).short).to.deep.equal(["record a"]);
    expect(play(...acknowledged, offered("a")).short).to.deep.equal(["record a"]);
    expect(play(...acknowledged, { kind: "acknowledged", ids: ["a"] }).short).to.deep.equal([]);
  });

  it("gives up what only a socket that is gone could still bring", () => {
    const gone = { kind: "gatewayLeft", gateway: GATEWAY } as const;
    const acknowledged = play(...storing, { kind: "acknowledged", ids: ["a"] }, failed, gone);

    expect(isIdle(play(...storing, failed, gone).state)).to.equal(true);
    expect(acknowledged.short).to.deep.equal(["disappoint a"]);
    expect(isIdle(acknowledged.state)).to.equal(true);
  });

  it("tries again to forget what is in flight, and wakes for what is not", () => {
    const inFlight = [...activated(1, 1, GATEWAY, ["a"]), { kind: "pageRead", epoch: 1, messages: [], exhausted: true }] as const;
    const notForgotten = { kind: "notForgotten", ids: ["a", "b"], error: OUTAGE } as const;
    const outcome = play(...inFlight, { kind: "acknowledged", ids: ["a", "b"] }, notForgotten);

    expect(outcome.short).to.deep.equal(["disappoint a,b", "retryLater a", "read 255 of 262144 without [a]"]);
    expect(play(...inFlight, { kind: "acknowledged", ids: ["a"] }, notForgotten, { kind: "retried", ids: ["a", "x"] }).short).to.deep.equal(
      ["forget a"],
    );
  });

  it("reads the page later", () => {
    const outcome = play(...activated(), { kind: "pageFailed", epoch: 1 });

    expect(outcome.short).to.deep.equal(["wakeLater"]);
    expect(play(...activated(), { kind: "pageFailed", epoch: 1 }, { kind: "woken" }).short).to.deep.equal([`${FULL_READ} without []`]);
  });
});

describe("the inbox core: an id that is another message's", () => {
  const refuted = { kind: "refuted", id: "a", error: OUTAGE } as const;

  it("refuses the message", () => {
    expect(play(offered("a"), refuted).short).to.deep.equal(["refuse a"]);
  });

  it("lands it when its recipient has acknowledged it", () => {
    const outcome = play(...drained(), offered("a"), { kind: "acknowledged", ids: ["a"] }, refuted);

    expect(outcome.short).to.deep.equal(["refuse a after a push", "confirm a"]);
    expect(isKnown(outcome.state, "a")).to.equal(false);
  });
});

describe("the inbox core: the backlog", () => {
  const [a, b, c] = [messageNamed("a", 1), messageNamed("b", 2), messageNamed("c", 3)];

  it("is read when a socket is activated, without what is in flight on it", () => {
    expect(play(...activated()).short).to.deep.equal([`${FULL_READ} without []`]);
    expect(play(...activated(1, 1, GATEWAY, ["a"])).short).to.deep.equal(["read 255 of 262144 without [a]"]);
  });

  it("is pushed page by page; the queue is empty when all of it is", () => {
    expect(play(...upTo(9), { kind: "pageRead", epoch: 1, messages: [a, b], exhausted: false }).short).to.deep.equal([
      "push a to 1",
      "push b to 1",
      "read 254 of 262142 without [a,b]",
    ]);
    expect(play(...upTo(9), { kind: "pageRead", epoch: 1, messages: [a, b], exhausted: true }).short).to.deep.equal([
      "push a to 1",
      "push b to 1",
      "queueEmpty to 1",
    ]);
  });

  it("says that the queue is empty before the first message that came after the activation", () => {
    const outcome = play(...upTo(2), { kind: "pageRead", epoch: 1, messages: [a, b, c], exhausted: false });

    expect(outcome.short.slice(0, 4)).to.deep.equal(["push a to 1", "push b to 1", "queueEmpty to 1", "push c to 1"]);
  });

  it("says so once for a socket", () => {
    const woken = [...drained(), { kind: "woken" }] as const;

    expect(play(...woken, { kind: "pageRead", epoch: 1, messages: [a], exhausted: true }).short).to.deep.equal(["push a to 1"]);
  });

  it("is merged by order with what is being stored and on the page already", () => {
    const outcome = play(...upTo(9), offered("c", 3), { kind: "pageRead", epoch: 1, messages: [a, c], exhausted: true });

    expect(outcome.short).to.deep.equal(["push a to 1", "push c to 1", "queueEmpty to 1"]);
    expect(outcome.state.current?.backlog.kind).to.equal("drained");
  });

  it("waits for what is being stored, which another copy may have delivered, and nothing overtakes that", () => {
    const page = { kind: "pageRead", epoch: 1, messages: [a, c], exhausted: true } as const;
    const barred = [...upTo(9), offered("b", 2), page] as const;

    expect(play(...barred).short).to.deep.equal(["push a to 1"]);
    expect(play(...barred, { kind: "stored", id: "b", accepted: STORED }).short).to.deep.equal([
      "answer b stored",
      "read 255 of 262143 without [a]",
    ]);
    expect(play(...barred, { kind: "stored", id: "b", accepted: acceptedAs("delivered") }).short.at(-1)).to.match(/^read /);
    expect(play(...barred, { kind: "failed", id: "b", error: OUTAGE }).short.at(-1)).to.match(/^read /);
    expect(play(...barred, { kind: "refuted", id: "b", error: OUTAGE }).short.at(-1)).to.match(/^read /);
  });

  it("holds back what is newer than a page that is not the last", () => {
    const outcome = play(...upTo(9), offered("d", 4), { kind: "pageRead", epoch: 1, messages: [a], exhausted: false });

    expect(outcome.short).to.deep.equal(["push a to 1", "read 255 of 262143 without [a,d]"]);
  });

  it("takes what was stored while the page was read from memory, and reads on without it else", () => {
    const stored = [...upTo(9), offered("d", 4), { kind: "stored", id: "d", accepted: STORED }] as const;
    const more = play(...stored, { kind: "pageRead", epoch: 1, messages: [a], exhausted: false });

    expect(play(...stored, { kind: "pageRead", epoch: 1, messages: [], exhausted: true }).short).to.deep.equal([
      "push d to 1",
      "queueEmpty to 1",
    ]);
    expect(more.short).to.deep.equal(["push a to 1", "read 255 of 262143 without [a]"]);
    expect(more.state.entries.size).to.equal(0);
  });

  it("is not brought again when it was acknowledged while it was read", () => {
    const acknowledged = [...upTo(9), { kind: "acknowledged", ids: ["a"] }, { kind: "forgotten", ids: ["a"], unknown: [] }] as const;

    expect(play(...acknowledged, { kind: "pageRead", epoch: 1, messages: [a], exhausted: true }).short).to.deep.equal(["queueEmpty to 1"]);
  });

  it("does not bring what is acknowledged while it is being stored", () => {
    const acknowledged = [...upTo(9), offered("a"), { kind: "acknowledged", ids: ["a"] }] as const;

    expect(play(...acknowledged, { kind: "pageRead", epoch: 1, messages: [], exhausted: true }).short).to.deep.equal(["queueEmpty to 1"]);
  });

  it("is read again when something woke the inbox meanwhile", () => {
    const woken = play(...activated(), { kind: "woken" }, { kind: "pageRead", epoch: 1, messages: [], exhausted: true });

    expect(woken.short).to.deep.equal([`${FULL_READ} without []`]);
  });

  it("brings what is older than all of memory where wakes come faster than pages", () => {
    const woken = { kind: "woken" } as const;
    const stale = [...upTo(9), woken, { kind: "pageRead", epoch: 1, messages: [], exhausted: true }] as const;

    const again = play(...stale, woken, offered("b", 2), { kind: "pageRead", epoch: 1, messages: [a, c], exhausted: true });

    expect(again.short).to.deep.equal(["push a to 1", "read 255 of 262143 without [a,b]"]);
  });

  it("lets nothing from memory pass what something woke the inbox for", () => {
    const woken = [...activated(), { kind: "woken" }, offered("b", 2)] as const;

    expect(play(...woken, { kind: "pageRead", epoch: 1, messages: [], exhausted: true }).short).to.deep.equal([`${FULL_READ} without [b]`]);
  });

  it("is read when a stored message may have been missed", () => {
    const full = [...drained(), offered("big", 1, 262_144), offered("late", 2)] as const;
    const stored = play(...full, { kind: "stored", id: "late", accepted: STORED });
    const credited = play(
      ...full,
      { kind: "stored", id: "late", accepted: STORED },
      { kind: "credited", connection: 1, epoch: 1, bytes: 1 },
    );

    expect(stored.short).to.deep.equal(["answer late stored"]);
    expect(credited.short).to.deep.equal(["read 255 of 1 without [big]"]);
  });

  it("is not asked for by a socket that has lost the events in the meantime", () => {
    const page = { kind: "pageRead", epoch: 1, messages: [a], exhausted: true } as const;

    expect(play(...activated(1), ...activated(2), page).short).to.deep.equal([]);
    expect(play(...activated(1), ...activated(2), { kind: "pageFailed", epoch: 1 }).short).to.deep.equal([]);
  });

  it("stops where the window is full", () => {
    const messages = [messageNamed("a", 1, 262_144), b];

    const outcome = play(...upTo(9), { kind: "pageRead", epoch: 1, messages, exhausted: true });

    expect(outcome.short).to.deep.equal(["push a to 1"]);
    expect(outcome.state.current?.backlog.kind).to.equal("behind");
  });
});

describe("the inbox core: acknowledgements", () => {
  it("forget what is unknown here, once while that is under way", () => {
    const acknowledged = { kind: "acknowledged", ids: ["a", "b", "a"] } as const;

    expect(play(acknowledged).short).to.deep.equal(["forget a,b"]);
    expect(play(acknowledged, acknowledged).short).to.deep.equal([]);
    expect(play(acknowledged, { kind: "forgotten", ids: ["a", "b"], unknown: [] }).short).to.deep.equal(["confirm a,b"]);
  });

  it("that came before their message was written down are not lost on it", () => {
    const early = [
      ...drained(),
      { kind: "acknowledged", ids: ["a", "b"] },
      { kind: "forgotten", ids: ["a", "b"], unknown: ["a"] },
    ] as const;
    const repeated = play(...early, offered("a"));

    expect(repeated.short).to.deep.equal(["record a"]);
    expect(play(...early, offered("a"), { kind: "failed", id: "a", error: OUTAGE }, offered("a")).short).to.deep.equal(["record a"]);
    expect(play(...early, offered("a"), { kind: "recorded", id: "a", accepted: acceptedAs("delivered") }).state.early.size).to.equal(0);
    expect(play(...early, offered("b")).short).to.deep.equal(["push b to 1", "linger b"]);
    const stored = play(...early, { kind: "woken" }, { kind: "pageRead", epoch: 1, messages: [messageNamed("a", 1)], exhausted: true });
    expect(stored.short).to.deep.equal(["forget a"]);
    expect(stored.state.current?.inFlight.size).to.equal(0);
  });

  it("that came early are remembered for as many messages as a socket takes", () => {
    const ids = Array.from({ length: 300 }, (_, index) => `${index}`);

    const { early } = play({ kind: "acknowledged", ids }, { kind: "forgotten", ids, unknown: ids }).state;

    expect([...early]).to.deep.equal(ids.slice(-256));
  });

  it("make room for more", () => {
    const full = [...drained(), offered("big", 1, 262_144), { kind: "lingered", id: "big" }] as const;
    const stored = [...full, { kind: "stored", id: "big", accepted: STORED }, offered("next", 2)] as const;
    const freed = [
      { kind: "stored", id: "next", accepted: STORED },
      { kind: "credited", connection: 1, epoch: 1, bytes: 262_144 },
    ] as const;

    expect(play(...stored, ...freed).short).to.deep.equal(["read 255 of 262144 without [big]"]);
  });

  it("take away what was stored while a page was read", () => {
    const stored = [...activated(), offered("a"), { kind: "stored", id: "a", accepted: STORED }] as const;

    expect(play(...stored, { kind: "acknowledged", ids: ["a"] }).short).to.deep.equal(["forget a"]);
  });
});

describe("the inbox core: sockets", () => {
  it("displace the older one when they are activated, not before", () => {
    const [attached, activation] = activated(2);

    expect(play(...drained(1), ...(attached ? [attached] : [])).short).to.deep.equal([]);
    expect(play(...drained(1), ...activated(2)).short).to.deep.equal(["displaced to 1", `${FULL_READ} without []`]);
    expect(activation?.kind).to.equal("activated");
  });

  it("are not displaced by themselves when they are attached again", () => {
    const again = activated(2, 1, gatewayNamed("g1"), ["a"]);

    expect(play(...drained(1), ...again).short).to.deep.equal(["read 255 of 262144 without [a]"]);
  });

  it("get what lingers on the older one once it is stored", () => {
    const [attached] = activated(2);
    const taken = [...drained(1), offered("a"), ...(attached ? [attached] : []), { kind: "activated", epoch: 2, mark: 9 }] as const;

    expect(play(...taken).short).to.deep.equal(["displaced to 1", "store a", "read 256 of 262144 without [a]"]);
    expect(play(...taken, EMPTY_PAGE).short).to.deep.equal([]);
    expect(play(...taken, EMPTY_PAGE, { kind: "stored", id: "a", accepted: STORED }).short).to.deep.equal([
      "answer a stored",
      "read 256 of 262144 without []",
    ]);
  });

  it("get what is offered while their first page is read with it, and have all then", () => {
    const page = { kind: "pageRead", epoch: 1, messages: [], exhausted: true } as const;

    const outcome = play(...activated(), offered("a"), page);

    expect(outcome.short).to.deep.equal(["queueEmpty to 1", "push a to 1"]);
    expect(outcome.state.current?.backlog.kind).to.equal("drained");
  });

  it("are told when they are activated later than a newer one", () => {
    const [late] = activated(1);
    const outdated = { kind: "outdated", epoch: 1, heir: { incarnation: "g1", connection: 2 } } as const;

    expect(play(...(late ? [late] : []), ...drained(2), outdated).short).to.deep.equal(["displaced to 1"]);
    expect(play(outdated).short).to.deep.equal([]);
  });

  it("are told when another copy activated a newer one, unless it is the same socket again", () => {
    const [newer, itself] = [2, 1].map((connection) => ({ incarnation: "g1", connection }));
    const outdatedBy = (heir = { incarnation: "g1", connection: 0 }) => play(...drained(1), { kind: "outdated", epoch: 1, heir });

    expect(outdatedBy(newer).short).to.deep.equal(["displaced to 1"]);
    expect(outdatedBy({ incarnation: "g2", connection: 1 }).short).to.deep.equal(["displaced to 1"]);
    expect(outdatedBy(itself).short).to.deep.equal([]);
    expect([outdatedBy(newer), outdatedBy(itself)].map(({ state }) => state.current)).to.deep.equal([undefined, undefined]);
  });

  it("get the room back of what the database says waits no longer", () => {
    const ids = Array.from({ length: 256 }, (_, index) => `m${index}`);
    const [attached, activation] = activated(1, 1, GATEWAY, ids) as [Input, Input];
    const gone = { kind: "gone", epoch: 1, ids: ids.slice(0, 255) } as const;

    expect(play(attached, activation).short).to.deep.equal([]);
    expect(play(attached, gone, activation).short).to.deep.equal(["read 255 of 262144 without [m255]"]);
    expect(play(attached, activation, gone).short).to.deep.equal(["read 255 of 262144 without [m255]"]);
    expect(play(attached, activation, { ...gone, epoch: 2 }).state.current?.inFlight.size).to.equal(256);
  });

  it("keep in flight what came under way while the database was asked", () => {
    const again = activated(1, 1, GATEWAY, ["a", "b"]);
    const outcome = play(...again, offered("a"), { kind: "gone", epoch: 1, ids: ["a", "b"] });

    expect([...(outcome.state.current?.inFlight ?? [])]).to.deep.equal(["a"]);
  });

  it("change nothing when they close before they are activated", () => {
    const [candidate] = activated(2);
    const detached = { kind: "detached", incarnation: "g1", connection: 2, epoch: 2 } as const;
    const outcome = play(...drained(1), ...(candidate ? [candidate] : []), detached);

    expect(outcome.short).to.deep.equal([]);
    expect(outcome.state.candidates.size).to.equal(0);
    expect(outcome.state.current?.epoch).to.equal(1);
    expect(play(...drained(1), detached, { kind: "activated", epoch: 2, mark: 0 }).short).to.deep.equal([]);
  });

  it("are not removed by a detachment of another epoch, connection or gateway", () => {
    for (const [incarnation, connection, epoch] of [["g1", 1, 2] as const, ["g1", 2, 1] as const, ["g2", 1, 1] as const]) {
      expect(play(...drained(1), { kind: "detached", incarnation, connection, epoch }).state.current?.epoch).to.equal(1);
    }
  });

  it("survive the end of an older stream of their gateway", () => {
    const [older, newer] = [gatewayNamed("g1"), gatewayNamed("g1")];
    const outcome = play(...drained(1, 1, older), ...activated(2, 1, newer), { kind: "gatewayLeft", gateway: older });

    expect(outcome.state.current?.epoch).to.equal(2);
  });

  it("are credited only under their own epoch, and never below nothing", () => {
    const pushed = [...drained(1), offered("a", 1, 100)] as const;
    const credit = (epoch: number, bytes: number) =>
      play(...pushed, { kind: "credited", connection: 1, epoch, bytes }).state.current?.uncredited;

    expect([credit(2, 50), credit(1, 50), credit(1, 500)]).to.deep.equal([100, 50, 0]);
  });

  it("leave nothing behind", () => {
    const outcome = play(...drained(1), { kind: "gatewayLeft", gateway: GATEWAY });

    expect(isIdle(outcome.state)).to.equal(true);
    expect(isSettled(outcome.state)).to.equal(true);
  });
});

/** The inputs that activate a socket at a time. */
function upTo(mark: number): readonly Input[] {
  const [attached] = activated();
  return [...(attached ? [attached] : []), { kind: "activated", epoch: 1, mark }];
}
