import { expect } from "chai";
import { CallError } from "../../../client/call-error.ts";
import { serveExchange, startConnected } from "./harness.ts";

describe("a connection whose socket was closed", () => {
  for (const [code, reaction] of [
    [1009, "fix-client"],
    [4400, "fix-client"],
    [4401, "login-again"],
    [4409, "stop"],
  ] as const) {
    it(`is over after ${code}: ${reaction}`, async () => {
      await using harness = await startConnected();

      harness.socket.close(code);
      const ending = await harness.connection.ended;

      expect(ending.reaction).to.equal(reaction);
      expect(ending.code).to.equal(code);
      expect(harness.timers.delays).to.deep.equal([]);
    });
  }

  for (const code of [1000, 1001, 4008, 4408, 4503]) {
    it(`comes back after ${code}`, async () => {
      await using harness = await startConnected();
      harness.socket.close(code);
      (await harness.timers.set(250)).run();

      await serveExchange(harness.server, 3);

      await harness.connection.ready();
    });
  }

  it("comes back after a cut", async () => {
    await using harness = await startConnected();
    harness.socket.cut();
    (await harness.timers.set(250)).run();

    await serveExchange(harness.server, 3);

    await harness.connection.ready();
  });

  it("waits as long as the draining event says", async () => {
    await using harness = await startConnected();
    harness.socket.event({ draining: { reconnectAfterMs: 1234 } });
    harness.socket.close(4001);

    (await harness.timers.set(1234)).run();

    await serveExchange(harness.server, 3);
  });

  it("comes back at once when the draining gateway closed it at the time that it had named", async () => {
    await using harness = await startConnected();
    const events = harness.connection.events();
    harness.socket.event({ draining: { reconnectAfterMs: 1234 } });
    await events.next();
    harness.clock.now += 1234;

    harness.socket.close(4001);

    await serveExchange(harness.server, 3);
  });

  it("gives up a socket that a draining gateway does not close", async () => {
    await using harness = await startConnected();
    harness.socket.event({ draining: { reconnectAfterMs: 1234 } });
    const late = await harness.timers.set(3_234);
    harness.clock.now += 3_234;

    late.run();

    await serveExchange(harness.server, 3);
    await harness.socket.closed();
    await harness.connection.ready();
    expect(harness.timers.delays).to.deep.equal([]);
  });

  it("waits as long as the reason of 4429 says", async () => {
    await using harness = await startConnected();
    harness.socket.close(4429, "5678");

    (await harness.timers.set(5678)).run();

    await serveExchange(harness.server, 3);
  });

  it("waits longer after each failure", async () => {
    await using harness = await startConnected();
    harness.socket.cut();

    for (const ms of [250, 500, 1000]) {
      (await harness.timers.set(ms)).run();
      (await harness.server.socket()).cut();
    }

    await harness.timers.set(2000);
  });

  it("comes back when a call was not answered in time and nothing else was heard either", async () => {
    await using harness = await startConnected();
    const call = harness.connection.chat.listBlockedAccounts({}, { timeoutMs: 6_000 }).catch((error: CallError) => error.code);
    await harness.socket.nextCall();
    harness.clock.now += 6_000;

    (await harness.timers.set(6_000)).run();
    (await harness.timers.set(250)).run();
    await serveExchange(harness.server, 3);
    await harness.connection.ready();

    expect(await call).to.equal("DEADLINE_EXCEEDED");
    // The late end of the old socket changes nothing.
    await harness.socket.closed();
    await harness.connection.ready();
    expect(harness.timers.delays).to.deep.equal([]);
  });

  it("stays when a call was not answered in time but an event came meanwhile", async () => {
    await using harness = await startConnected();
    const events = harness.connection.events();
    const call = harness.connection.chat.listBlockedAccounts({}, { timeoutMs: 6_000 }).catch((error: CallError) => error.code);
    await harness.socket.nextCall();
    harness.clock.now += 6_000;
    harness.socket.event({ queueEmpty: {} });
    await events.next();

    (await harness.timers.set(6_000)).run();

    expect(await call).to.equal("DEADLINE_EXCEEDED");
    await harness.connection.ready();
    expect(harness.timers.delays).to.deep.equal([]);
  });

  it("stays away when it was displaced and then cut", async () => {
    await using harness = await startConnected();

    harness.socket.event({ displaced: {} });
    harness.socket.cut();
    const ending = await harness.connection.ended;

    expect(ending.reaction).to.equal("stop");
    expect(harness.timers.delays).to.deep.equal([]);
  });

  it("tells the app what happens", async () => {
    await using harness = await startConnected();
    const events = harness.connection.events();
    harness.socket.event({ displaced: {} });
    harness.socket.event({ fromTheFuture: {} });
    harness.socket.event({
      delivered: { messageId: "m", clientMessageId: "c", recipientAccountId: "r", deliveredAt: "2024-01-01T00:00:00.250Z" },
    });
    harness.socket.close(4409);

    const seen = [];
    for await (const event of events) {
      seen.push(event);
    }

    expect(seen).to.deep.equal([
      { type: "displaced" },
      {
        type: "delivered",
        messageId: "m",
        clientMessageId: "c",
        recipientAccountId: "r",
        deliveredAt: new Date("2024-01-01T00:00:00.250Z"),
      },
      { type: "ended", ending: { reaction: "stop", meaning: "a newer socket of the account took over", code: 4409 } },
    ]);
  });

  it("rejects whoever waits for it once it is over", async () => {
    await using harness = await startConnected();
    harness.socket.close(4401);
    await harness.connection.ended;

    const error = await harness.connection.ready().catch((reason: unknown) => reason);

    expect(error).to.be.instanceOf(CallError).and.include({ code: "UNAUTHENTICATED", reason: "LOGIN_REQUIRED" });
  });
});
