import { expect } from "chai";
import type { GatewayPeer } from "../../../../../platform/rpc/call.ts";
import { Inboxes } from "../../../../../services/chat/delivery/inboxes.ts";
import { createLapsing } from "../../../../../services/chat/delivery/lapsing.ts";
import { createHealing, HEALING_PARTS } from "../../../../../services/chat/delivery/lost-wakes.ts";
import { Wakes } from "../../../../../services/chat/delivery/wakes.ts";
import type { Inbox } from "../../../../../services/chat/store/inbox.ts";
import type { Presence } from "../../../../../services/chat/store/presence.ts";
import type { Holder } from "../../../../../services/chat/store/schema.ts";
import { acceptedAs, GATEWAY, gatewayNamed, OUTAGE } from "./inbox-scenario.ts";

const HOLDER: Holder = { incarnation: "there", connection: 7, epoch: 5, copy: "other copy" };

class Scene {
  readonly told: string[] = [];
  readonly wakes: Wakes;
  readonly inboxes: Inboxes = inboxesWithoutDatabase();
  now = 0;
  looks = 0;

  constructor(find: () => Promise<Holder | undefined>) {
    const there: GatewayPeer = {
      ...gatewayNamed("there"),
      wake: (connection) => this.told.push(`wake ${connection}`),
      wakeAt: (copy, accountId) => this.told.push(`pass on to ${copy} for ${accountId}`),
    };
    this.inboxes.gatewayJoined(there);
    this.wakes = new Wakes({
      inboxes: this.inboxes,
      inbox: {} as Inbox,
      presence: {
        find: () => {
          this.looks += 1;
          return find();
        },
      },
      copy: "this copy",
      events: {
        wakeSent: () => this.told.push("sent"),
        wakeReceived: () => undefined,
        wakeLost: () => this.told.push("lost"),
      },
      now: () => this.now,
    });
  }
}

describe("a wake", () => {
  it("goes to the gateway of the socket that has the events, and is counted", async () => {
    const scene = new Scene(async () => HOLDER);

    await scene.wakes.send(scene.inboxes.of("r"));

    expect(scene.told).to.deep.equal(["wake 7", "sent"]);
  });

  it("is passed on by the other gateways to the copy that delivers, where its own cannot be reached", async () => {
    const scene = new Scene(async () => ({ ...HOLDER, incarnation: "cut off" }));

    await scene.wakes.send(scene.inboxes.of("r"));

    expect(scene.told).to.deep.equal([`pass on to ${HOLDER.copy} for r`, "lost"]);
  });

  it("goes to nobody where nobody has them, or this copy delivers them itself", async () => {
    const nobody = new Scene(async () => undefined);
    const itself = new Scene(async () => ({ ...HOLDER, copy: "this copy" }));

    await nobody.wakes.send(nobody.inboxes.of("r"));
    await itself.wakes.send(itself.inboxes.of("r"));

    expect([nobody.told, itself.told]).to.deep.equal([[], []]);
  });

  for (const [title, find] of [
    ["the presence cannot be asked", () => Promise.reject(OUTAGE)],
    ["the presence does not answer", () => new Promise<never>(() => undefined)],
  ] as const) {
    it(`is lost where ${title}, and fails nothing`, async () => {
      const scene = new Scene(find);

      await scene.wakes.send(scene.inboxes.of("r"));

      expect(scene.told).to.deep.equal(["lost"]);
    });
  }

  it("is not looked up for a socket here that was made the current one a moment ago, and is again later", async () => {
    const scene = new Scene(async () => ({ ...HOLDER, epoch: 1, copy: "this copy" }));
    attach(scene.inboxes, "r");
    const inbox = scene.inboxes.of("r");
    inbox.handle({ kind: "activated", epoch: 1, mark: 0 });
    scene.wakes.believe(inbox, 1);

    await scene.wakes.send(inbox);
    const before = scene.looks;
    scene.now = 1_000;
    await scene.wakes.send(inbox);
    await scene.wakes.send(inbox);

    expect([before, scene.looks]).to.deep.equal([0, 1]);
  });

  it("takes the events from a socket here that is no longer the current one", async () => {
    const scene = new Scene(async () => HOLDER);
    attach(scene.inboxes, "r");
    const inbox = scene.inboxes.of("r");
    inbox.handle({ kind: "activated", epoch: 1, mark: 0 });

    await scene.wakes.send(inbox);
    await inbox.attachments.run(() => undefined);

    expect(inbox.state.current).to.equal(undefined);
    expect(scene.told).to.deep.equal(["wake 7", "sent"]);
  });
});

describe("a socket that is attached and never activated", () => {
  it("is dropped after 30 s", () => {
    const inboxes = inboxesWithoutDatabase();
    let now = 0;
    const lapse = createLapsing(inboxes, () => now);
    attach(inboxes, "r");
    lapse();
    now = 29_999;
    lapse();
    const before = inboxes.candidates().length;

    now = 30_000;
    lapse();

    expect([before, inboxes.candidates().length, inboxes.size]).to.deep.equal([1, 0, 0]);
  });
});

describe("the rounds that find lost wakes", () => {
  it("look at every attached inbox once, spread over all parts", async () => {
    const inboxes = inboxesWithoutDatabase();
    const names = Array.from({ length: 1_010 }, (_, index) => `r${index}`);
    for (const name of names) {
      attach(inboxes, name);
      inboxes.of(name).handle({ kind: "activated", epoch: 1, mark: 0 });
    }
    const looked: string[][] = [];
    const findAll: Presence["findAll"] = async (ids) => {
      looked.push([...ids]);
      return new Map();
    };
    const heal = createHealing({ inboxes, inbox: {} as Inbox, presence: { findAll } as Presence, unreadable: { size: 0 } });

    for (let part = 0; part < HEALING_PARTS; part += 1) {
      await heal();
    }

    expect(looked.map(({ length }) => length)).to.deep.equal(Array.from({ length: 20 }, (_, part) => (part % 2 === 0 ? 50 : 51)));
    expect(looked.flat()).to.deep.equal(names);
  });
});

function attach(inboxes: Inboxes, accountId: string): void {
  inboxes.gatewayJoined(GATEWAY);
  inboxes.note(GATEWAY, accountId);
  inboxes.of(accountId).handle({ kind: "attached", gateway: GATEWAY, connection: 1, epoch: 1, inFlight: [], queueEmptied: false });
}

/** Their database never answers what is read. */
function inboxesWithoutDatabase(): Inboxes {
  return new Inboxes({
    lingerMs: 1_000,
    store: async () => acceptedAs("stored"),
    record: async () => acceptedAs("delivered"),
    forget: async () => [],
    read: () => new Promise(() => undefined),
    failed: () => undefined,
    woken: () => undefined,
  });
}
