import { expect } from "chai";
import type { TokenStore } from "../../../client/token-store.ts";
import { serveExchange, startConnected, startHarness } from "./harness.ts";
import { accessToken, refreshToken, storeWith } from "./tokens.ts";

/** A store whose saves the test lets through one by one. */
async function slowStore(): Promise<TokenStore & { saving: Promise<void>; let: (error?: Error) => void }> {
  const inner = await storeWith({ account: refreshToken(1), chat: refreshToken(1) });
  let begun = (): void => undefined;
  let settle = (_error?: Error): void => undefined;
  const saving = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const allowed = new Promise<void>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve());
  });
  return {
    ...inner,
    saving,
    let: (error) => settle(error),
    save: async (service, token) => {
      begun();
      await allowed;
      await inner.save(service, token);
    },
  };
}

describe("a client's exchange on a socket", () => {
  it("connects to the path of its services and presents the token of each", async () => {
    const store = await storeWith({ account: refreshToken(7), chat: refreshToken(8) });
    await using harness = await startHarness({ services: ["account", "chat"], store });

    const socket = await harness.server.socket();
    const presented = [await socket.next(), await socket.next()];

    expect(socket.path).to.equal("/connect/account,chat");
    expect(presented).to.deep.equal([refreshToken(7), refreshToken(8)]);
  });

  it("sends nothing before the new refresh token is in the store, not even a call that waits", async () => {
    const store = await slowStore();
    await using harness = await startHarness({ store });
    const socket = await serveExchange(harness.server, 2);
    await store.saving;
    const call = harness.connection.chat.listBlockedAccounts({}, { timeoutMs: 5_000 }).catch((error: unknown) => error);
    // A round trip on the socket: what the client had sent by then would be here.
    socket.event({ queueEmpty: {} });
    for await (const event of harness.connection.events()) {
      expect(event.type).to.equal("queueEmpty");
      break;
    }
    expect(socket.waiting).to.equal(0);

    store.let();
    const frame = await socket.nextFrame();

    expect(frame.$case).to.equal("call");
    expect(await store.load("chat")).to.deep.equal(new Uint8Array(refreshToken(2)));
    await harness.connection.close();
    await call;
  });

  it("confirms with a KeepAlive when it has nothing to send", async () => {
    await using harness = await startHarness();
    const socket = await serveExchange(harness.server, 2);

    expect((await socket.nextFrame()).$case).to.equal("keepAlive");
  });

  it("confirms nothing when the token cannot be saved, and presents the old one again", async () => {
    const store = await slowStore();
    await using harness = await startHarness({ store });
    const first = await serveExchange(harness.server, 2);
    await store.saving;

    store.let(new Error("the disk is full"));
    await first.closed();
    (await harness.timers.set(250)).run();

    expect(first.waiting).to.equal(0);
    expect(await (await harness.server.socket()).next()).to.deep.equal(refreshToken(1));
  });

  it("presents the old token again when the cut came before the new one", async () => {
    await using harness = await startHarness();
    const first = await harness.server.socket();
    await first.next();
    first.cut();

    (await harness.timers.set(250)).run();

    expect(await (await harness.server.socket()).next()).to.deep.equal(refreshToken(1));
  });

  it("presents the new token when the cut came between it and the access token", async () => {
    const store = await slowStore();
    await using harness = await startHarness({ store });
    const first = await harness.server.socket();
    await first.next();
    first.send(refreshToken(2));
    await store.saving;
    first.cut();
    store.let();

    (await harness.timers.set(250)).run();

    expect(await (await harness.server.socket()).next()).to.deep.equal(refreshToken(2));
  });

  it("keeps its turn on the store until a save that had begun is over", async () => {
    const store = await slowStore();
    await using harness = await startHarness({ store });
    const socket = await serveExchange(harness.server, 2);
    await store.saving;
    let next = "waits";
    const turn = store.exclusive(async () => {
      next = "runs";
    });

    socket.cut();
    await harness.noticedEnd;
    await new Promise((resolve) => setImmediate(resolve));
    expect(next).to.equal("waits");
    store.let();
    await turn;

    expect(await store.load("chat")).to.deep.equal(new Uint8Array(refreshToken(2)));
  });

  it("presents, of two services, the newest token of each", async () => {
    await using harness = await startHarness({ services: ["account", "chat"] });
    const first = await harness.server.socket();
    await first.next();
    await first.next();
    first.send(refreshToken(5));
    first.send(accessToken(5));
    first.cut();

    (await harness.timers.set(250)).run();
    const second = await harness.server.socket();

    expect([await second.next(), await second.next()]).to.deep.equal([refreshToken(5), refreshToken(1)]);
  });

  it("presents the confirmed token after 4503, never the old one", async () => {
    await using harness = await startConnected();
    harness.socket.close(4503);

    (await harness.timers.set(250)).run();

    expect(await (await harness.server.socket()).next()).to.deep.equal(refreshToken(2));
  });

  it("presents the confirmed token after 4503 in the middle of the next exchange, too, and the newest of each service", async () => {
    await using harness = await startHarness({ services: ["account", "chat"] });
    const first = await harness.server.socket();
    for (const byte of [2, 3]) {
      await first.next();
      first.send(refreshToken(byte));
      first.send(accessToken(byte));
    }
    await first.nextFrame();
    first.close(4503);
    (await harness.timers.set(250)).run();
    const second = await harness.server.socket();
    expect([await second.next(), await second.next()]).to.deep.equal([refreshToken(2), refreshToken(3)]);
    second.send(refreshToken(4));
    second.send(accessToken(4));
    second.close(4503);
    (await harness.timers.set(500)).run();

    const third = await harness.server.socket();

    expect([await third.next(), await third.next()]).to.deep.equal([refreshToken(4), refreshToken(3)]);
  });

  it("closes its socket when the store fails after all was exchanged, and begins again", async () => {
    const inner = await storeWith({ chat: refreshToken(1) });
    let fails = true;
    const store: TokenStore = {
      ...inner,
      exclusive: async (work, signal) => {
        const result = await inner.exclusive(work, signal);
        if (fails) {
          fails = false;
          throw new Error("the lock could not be given back");
        }
        return result;
      },
    };
    await using harness = await startHarness({ store });
    const first = await serveExchange(harness.server, 2);

    await first.closed();
    (await harness.timers.set(250)).run();
    const second = await serveExchange(harness.server, 3);
    await second.nextFrame();

    await harness.connection.ready();
    expect(await store.load("chat")).to.deep.equal(new Uint8Array(refreshToken(3)));
  });

  it("is not disturbed by a store that fails only after the socket has come and gone", async () => {
    const inner = await storeWith({ chat: refreshToken(1) });
    let fail = (): void => undefined;
    const failed = new Promise<never>((_resolve, reject) => {
      fail = () => reject(new Error("the lock could not be given back"));
    });
    let turns = 0;
    const store: TokenStore = {
      ...inner,
      exclusive: async (work, signal) => {
        turns += 1;
        const late = turns === 1;
        const result = await inner.exclusive(work, signal);
        return late ? failed : result;
      },
    };
    await using harness = await startConnected({ store });
    harness.socket.cut();
    (await harness.timers.set(250)).run();
    const second = await serveExchange(harness.server, 3);
    await second.nextFrame();
    await harness.connection.ready();

    fail();
    await new Promise((resolve) => setImmediate(resolve));

    await harness.connection.ready();
    expect(harness.timers.delays).to.deep.equal([]);
  });

  it("gives up an exchange that takes too long", async () => {
    await using harness = await startHarness();
    const socket = await harness.server.socket();
    await socket.next();

    (await harness.timers.set(20_000)).run();

    await socket.closed();
    await harness.timers.set(250);
  });

  it("opens no socket when the store holds no token", async () => {
    await using harness = await startHarness({ store: await storeWith({}) });

    const ending = await harness.connection.ended;

    expect(ending.reaction).to.equal("login-again");
    expect(harness.server.opened()).to.equal(0);
  });

  it("lets two connections on one store exchange one after the other", async () => {
    await using first = await startHarness();
    await using second = await startHarness({ store: first.store });
    const socket = await first.server.socket();
    await socket.next();
    expect(second.server.opened()).to.equal(0);

    socket.send(refreshToken(2));
    socket.send(accessToken(2));
    const later = await second.server.socket();

    expect(await later.next()).to.deep.equal(refreshToken(2));
    expect((await socket.nextFrame()).$case).to.equal("keepAlive");
  });

  it("is given up at once when the app closes the connection", async () => {
    await using harness = await startHarness();
    const socket = await harness.server.socket();
    await socket.next();

    await harness.connection.close();

    await socket.closed();
    expect((await harness.connection.ended).reaction).to.equal("closed");
  });
});
