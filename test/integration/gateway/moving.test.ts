import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { gatewayConfig } from "../../../gateway/config.ts";
import { rankCandidates } from "../../../gateway/rendezvous.ts";
import { startGateway } from "../../../gateway/server.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import type { ActivateRequest, DetachRequest } from "../../../proto/gen/sallyport/chat/v1/delivery.ts";
import type { Event } from "../../../proto/gen/sallyport/gateway/v1/events.ts";
import { ACCOUNT, type Fake, type Overrides, quiet, startFakeAccount, startFakeChat } from "./fake-services.ts";
import { TestSocket } from "./harness.ts";

/** A socket that is attached to the worse of two chat copies, as the better one does not run yet. */
interface Scene extends AsyncDisposable {
  readonly socket: TestSocket;
  readonly first: Fake;
  readonly activation: ActivateRequest;
  readonly startBetter: (overrides?: Overrides) => Promise<Fake>;
}

async function attachedToTheWorse(): Promise<Scene> {
  const parts = new Disposables();
  const folder = await mkdtemp(join(tmpdir(), "sallyport-moving-"));
  parts.defer(() => rm(folder, { recursive: true }));
  const [better, worse] = rankCandidates(ACCOUNT, [randomUUID(), randomUUID()]) as [string, string];
  const address = `unix:${join(folder, "better.sock")}`;
  const first = parts.use(await startFakeChat({}, "127.0.0.1:0", worse));
  const account = parts.use(await startFakeAccount());
  const activated = once(first.asked, "activate");
  const joined = once(first.asked, "renewLease");
  const config = gatewayConfig({
    GATEWAY_PORT: "0",
    GATEWAY_ADMIN_PORT: "0",
    GATEWAY_DRAIN_MS: "0",
    SALLYPORT_DATA_DIR: folder,
    SALLYPORT_LIMITS: "off",
    ACCOUNT_TARGETS: account.address,
    CHAT_TARGETS: `${first.address},${address}`,
  });
  const gateway = parts.use(await startGateway(config, quiet));
  await joined;
  const socket = await new TestSocket(gateway.address).exchange();
  const [activation] = (await activated) as [ActivateRequest];
  parts.defer(async () => socket[Symbol.dispose]());
  return {
    socket,
    first,
    activation,
    startBetter: async (overrides = {}) => parts.use(await startFakeChat(overrides, address, better)),
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}

function pushTo(copy: Fake, { connection, epoch }: ActivateRequest, event: Event): void {
  for (const gateway of copy.gateways) {
    gateway.push(connection, epoch, event);
  }
}

function message(id: string): Event {
  const value = { id, clientMessageId: "", senderAccountId: "", sentAt: new Date(1), body: Buffer.from("hi"), receipt: "r" };
  return { kind: { $case: "message", value } };
}

describe("a socket whose chat copy changes", () => {
  it("is attached where it belongs before the older copy is told to let go", async () => {
    await using scene = await attachedToTheWorse();
    const told: string[] = [];
    const detached = once(scene.first.asked, "detach");
    scene.first.asked.on("detach", () => told.push("detach"));

    const better = await scene.startBetter({
      delivery: {
        attach: () => ({ epoch: 1_000 }),
        activate: async () => {
          await new Promise(setImmediate);
          told.push("activate");
          return { displaced: false };
        },
      },
    });
    const [attached] = await once(better.asked, "attach");
    const [detach] = (await detached) as [DetachRequest];

    expect(attached.connection).to.equal(scene.activation.connection);
    expect(told).to.deep.equal(["activate", "detach"]);
    expect(scene.activation).to.include(detach);
  });

  it("says at the newer copy which epoch was its first, and is displaced when a newer socket has the events there", async () => {
    await using scene = await attachedToTheWorse();
    const better = await scene.startBetter({ delivery: { attach: () => ({ epoch: 1_000 }), activate: () => ({ displaced: true }) } });

    const [again] = (await once(better.asked, "activate")) as [ActivateRequest];
    const event = await scene.socket.nextEvent();

    expect(again).to.deep.equal({ connection: scene.activation.connection, epoch: 1_000, rank: scene.activation.epoch });
    expect(event).to.deep.equal({ displaced: {} });
  });

  it("goes on with the events of the older copy until the newer one has attached it", async () => {
    await using scene = await attachedToTheWorse();
    const { socket, first, activation } = scene;
    let answer: (response: { epoch: number }) => void = () => undefined;
    const [early, late, lost] = [randomUUID(), randomUUID(), randomUUID()];
    const better = await scene.startBetter({
      delivery: {
        attach: () =>
          new Promise((resolve) => {
            answer = resolve;
          }),
      },
    });
    await once(better.asked, "attach");

    pushTo(first, activation, message(early));
    const before = await socket.nextEvent();
    const moved = once(better.asked, "activate");
    answer({ epoch: 1_000 });
    await moved;
    pushTo(first, activation, message(lost));
    pushTo(better, { ...activation, epoch: 1_000 }, message(late));
    const after = await socket.nextEvent();

    expect([before["message"]?.["id"], after["message"]?.["id"]]).to.deep.equal([early, late]);
  });

  it("leaves a copy that is about to stop, and then tells it", async () => {
    await using scene = await attachedToTheWorse();
    const atWorse = once(scene.first.asked, "detach");
    const better = await scene.startBetter();
    const [activation] = (await once(better.asked, "activate")) as [ActivateRequest];
    await atWorse;
    const back = once(scene.first.asked, "activate");
    const left = once(better.asked, "detach");

    const draining = better.server.drain();
    await back;
    const [detach] = (await left) as [DetachRequest];
    await draining;

    expect(activation).to.include(detach);
  });

  it("hands a wake of one copy on to the copy that it is attached to", async () => {
    await using scene = await attachedToTheWorse();
    const moved = once(scene.first.asked, "detach");
    const better = await scene.startBetter();
    await moved;
    const woken = once(better.asked, "woken");

    for (const gateway of scene.first.gateways) {
      gateway.wake(scene.activation.connection);
    }

    expect(await woken).to.deep.equal([ACCOUNT]);
  });

  it("lets its copy go as soon as a newer socket has displaced it", async () => {
    await using scene = await attachedToTheWorse();
    const detached = once(scene.first.asked, "detach");

    pushTo(scene.first, scene.activation, { kind: { $case: "displaced", value: {} } });
    const event = await scene.socket.nextEvent();
    const [detach] = await detached;

    expect(event).to.deep.equal({ displaced: {} });
    expect(scene.activation).to.include(detach);
  });

  it("is displaced also while it is being attached elsewhere, and is not activated there", async () => {
    await using scene = await attachedToTheWorse();
    let answer: (response: { epoch: number }) => void = () => undefined;
    const better = await scene.startBetter({
      delivery: {
        attach: () =>
          new Promise((resolve) => {
            answer = resolve;
          }),
      },
    });
    let activations = 0;
    better.asked.on("activate", () => {
      activations += 1;
    });
    await once(better.asked, "attach");

    pushTo(scene.first, scene.activation, { kind: { $case: "displaced", value: {} } });
    const event = await scene.socket.nextEvent();
    const detached = once(better.asked, "detach");
    answer({ epoch: 1_000 });
    const [detach] = await detached;

    expect(event).to.deep.equal({ displaced: {} });
    expect(detach.epoch).to.equal(1_000);
    expect(activations).to.equal(0);
  });
});
