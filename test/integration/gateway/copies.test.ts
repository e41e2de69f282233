import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { expect } from "chai";
import { type Copy, type CopyListener, ServiceCopies } from "../../../gateway/relay.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import type { TargetOverrides } from "../../../platform/rpc/targets.ts";
import { ACCOUNT, type Fake, SESSION, startFakeAccount, startFakeChat } from "./fake-services.ts";

const KEYS = Array.from({ length: 300 }, () => randomUUID());
const CALLER = { accountId: ACCOUNT, sessionId: SESSION, service: "chat" } as const;
const soon = (): number => Date.now() + 10_000;

/** A gateway's view of the chat copies that some targets lead to; what it hears is emitted by name, with the target. */
interface View {
  readonly copies: ServiceCopies;
  readonly heard: EventEmitter;
  readonly log: string[];
}

function look(parts: Disposables, targets: readonly string[], overrides?: TargetOverrides): View {
  const heard = new EventEmitter();
  const log: string[] = [];
  const hear =
    (name: string) =>
    (copy: Copy): void => {
      log.push(`${name} ${copy.relay.target}`);
      heard.emit(name, copy.relay.target);
    };
  const listener: CopyListener = {
    connected: hear("connected"),
    disconnected: hear("disconnected"),
    leaving: hear("leaving"),
    silent: hear("silent"),
    unreachable: hear("unreachable"),
    unresolved: () => undefined,
    pushed: () => undefined,
    revoked: () => undefined,
    woken: () => undefined,
  };
  const copies = new ServiceCopies("chat", targets, randomUUID(), listener, undefined, overrides);
  parts.defer(() => copies[Symbol.dispose]());
  return { copies, heard, log };
}

/** Name servers that say what a test has them say. */
class Names {
  addresses: readonly string[];
  readonly overrides: TargetOverrides = { resolve: () => this.#answer(), everyMs: 5 };
  readonly #asked = new EventEmitter();

  constructor(...addresses: string[]) {
    this.addresses = addresses;
  }

  /** Changes what they say, and waits until they have said it so often that what they said before counts no longer. */
  async say(...addresses: string[]): Promise<void> {
    this.addresses = addresses;
    for (let times = 0; times < 5; times += 1) {
      await once(this.#asked, "asked");
    }
  }

  async #answer(): Promise<readonly string[]> {
    this.#asked.emit("asked");
    return this.addresses;
  }
}

/** Waits until something was heard of so many targets. */
async function hearOf({ heard, log }: View, name: string, times: number): Promise<void> {
  while (log.filter((line) => line.startsWith(name)).length < times) {
    await once(heard, name);
  }
}

async function connected(parts: Disposables, targets: readonly string[], overrides?: TargetOverrides): Promise<View> {
  const view = look(parts, targets, overrides);
  await hearOf(view, "connected", targets.length);
  return view;
}

const picks = ({ copies }: View): readonly (string | undefined)[] => KEYS.map((key) => copies.pick(key).relay.copy);
const byName = ({ address }: Fake): string => address.replace("127.0.0.1", "localhost");

describe("the copies of a service", () => {
  it("serve the same keys for all gateways, however these spell, order and repeat their targets", async () => {
    await using parts = new Disposables();
    const [one, two] = [parts.use(await startFakeChat()), parts.use(await startFakeChat())];
    const plain = await connected(parts, [one.address, two.address]);

    const named = await connected(parts, [byName(two), byName(one)]);
    const repeated = await connected(parts, [two.address, byName(one), one.address, byName(two)]);

    expect(new Set(picks(plain)).size).to.equal(2);
    expect(picks(named)).to.deep.equal(picks(plain));
    expect(picks(repeated)).to.deep.equal(picks(plain));
    expect([repeated.copies.servingCount, repeated.copies.copies.length]).to.deep.equal([2, 2]);
  });

  it("are none that another service is at, and get no calls then", async () => {
    await using parts = new Disposables();
    const [account, chat] = [parts.use(await startFakeAccount()), parts.use(await startFakeChat())];
    const view = look(parts, [account.address, chat.address]);

    await Promise.all([hearOf(view, "unreachable", 1), hearOf(view, "connected", 1)]);

    expect(view.log.toSorted()).to.deep.equal([`connected ${chat.address}`, `unreachable ${account.address}`]);
    expect(new Set(KEYS.map((key) => view.copies.pick(key).relay.target))).to.deep.equal(new Set([chat.address]));
  });

  it("keep a key where it is served while another way to the same copy comes, and go on by that when the first is lost", async () => {
    await using parts = new Disposables();
    const chat = parts.use(await startFakeChat());
    let addresses = ["127.0.0.1"];
    const port = chat.address.split(":")[1];
    const view = look(parts, [`dns:///chat.example:${port}`], { resolve: async () => addresses, everyMs: 5 });
    await hearOf(view, "connected", 1);
    const first = view.copies.pick("key");

    // Another spelling of the same address.
    addresses = ["localhost", "127.0.0.1"];
    await hearOf(view, "connected", 2);
    const second = view.copies.pick("key");
    addresses = ["localhost"];
    await hearOf(view, "disconnected", 1);
    const third = view.copies.pick("key");

    expect(second).to.equal(first);
    expect([third.relay.target, third.relay.copy]).to.deep.equal([`localhost:${port}`, chat.copy]);
    expect(third).not.to.equal(first);
  });

  it("are those of the name's addresses: one that appears takes its keys, one that vanishes finishes its calls and gets no more", async () => {
    await using parts = new Disposables();
    let finish: () => void = () => undefined;
    const acknowledge = (): Promise<object> =>
      new Promise((resolve) => {
        finish = () => resolve({});
      });
    const one = parts.use(await startFakeChat({ delivery: { acknowledge } }, "127.0.0.2:0"));
    const port = one.address.split(":")[1];
    const two = parts.use(await startFakeChat({}, `127.0.0.3:${port}`));
    let addresses = ["127.0.0.2"];
    const view = look(parts, [`dns:///chat.example:${port}`], { resolve: async () => addresses, everyMs: 5 });
    await hearOf(view, "connected", 1);
    const atFirst = new Set(picks(view));

    addresses = ["127.0.0.2", "127.0.0.3"];
    await hearOf(view, "connected", 2);
    const withBoth = new Set(picks(view));
    const key = KEYS.find((candidate) => view.copies.pick(candidate).relay.copy === one.copy) ?? "";
    const asked = once(one.asked, "acknowledge");
    const call = view.copies.pick(key).deliveries.acknowledge({ messageIds: [randomUUID()] }, { deadline: soon(), caller: CALLER });
    await asked;
    addresses = ["127.0.0.3"];
    await hearOf(view, "leaving", 1);
    const afterwards = new Set(picks(view));
    finish();
    const answer = await call;
    await hearOf(view, "disconnected", 1);

    expect(atFirst).to.deep.equal(new Set([one.copy]));
    expect(withBoth).to.deep.equal(new Set([one.copy, two.copy]));
    expect(afterwards).to.deep.equal(new Set([two.copy]));
    expect(answer).to.deep.equal({});
    expect(view.copies.copies.map(({ relay }) => relay.target)).to.deep.equal([`127.0.0.3:${port}`]);
  });

  it("serve until another one does, though the name leads elsewhere, and part then", async () => {
    await using parts = new Disposables();
    const one = parts.use(await startFakeChat({}, "127.0.0.2:0"));
    const port = one.address.split(":")[1];
    const names = new Names("127.0.0.2");
    const view = look(parts, [`dns:///chat.example:${port}`], names.overrides);
    await hearOf(view, "connected", 1);

    await names.say("127.0.0.3");
    await hearOf(view, "unreachable", 1);
    const meanwhile = new Set(picks(view));
    const two = parts.use(await startFakeChat({}, `127.0.0.3:${port}`));
    await hearOf(view, "disconnected", 1);

    expect(meanwhile).to.deep.equal(new Set([one.copy]));
    expect(view.log).to.deep.equal([
      `connected 127.0.0.2:${port}`,
      `unreachable 127.0.0.3:${port}`,
      `connected 127.0.0.3:${port}`,
      `leaving 127.0.0.2:${port}`,
      `disconnected 127.0.0.2:${port}`,
    ]);
    expect(new Set(picks(view))).to.deep.equal(new Set([two.copy]));
  });

  it("go on as they were when the name leads to them again before another one serves", async () => {
    await using parts = new Disposables();
    const one = parts.use(await startFakeChat({}, "127.0.0.2:0"));
    const port = one.address.split(":")[1];
    const names = new Names("127.0.0.2");
    const view = look(parts, [`dns:///chat.example:${port}`], names.overrides);
    await hearOf(view, "connected", 1);
    const first = view.copies.pick("key");
    await names.say("127.0.0.3");
    await names.say("127.0.0.2", "127.0.0.3");

    const two = parts.use(await startFakeChat({}, `127.0.0.3:${port}`));
    await hearOf(view, "connected", 2);
    const key = KEYS.find((candidate) => view.copies.pick(candidate).relay.copy === one.copy) ?? "";

    expect(view.copies.pick(key)).to.equal(first);
    expect(new Set(picks(view))).to.deep.equal(new Set([one.copy, two.copy]));
  });

  it("are forgotten with their stream when the name leads elsewhere", async () => {
    await using parts = new Disposables();
    const one = await startFakeChat({}, "127.0.0.2:0");
    const port = one.address.split(":")[1];
    const names = new Names("127.0.0.2");
    const view = look(parts, [`dns:///chat.example:${port}`], names.overrides);
    await hearOf(view, "connected", 1);
    await names.say("127.0.0.3");
    const whileItStands = view.copies.copies.length;

    await one[Symbol.asyncDispose]();
    await hearOf(view, "disconnected", 1);

    expect(whileItStands).to.equal(2);
    expect(view.copies.copies.map(({ relay }) => relay.target)).to.deep.equal([`127.0.0.3:${port}`]);
  });

  it("take nothing new while they leave, and when none is left, calls fail at once with UNAVAILABLE and a hint", async () => {
    await using parts = new Disposables();
    let finish: () => void = () => undefined;
    const acknowledge = (): Promise<object> =>
      new Promise((resolve) => {
        finish = () => resolve({});
      });
    const [one, two] = [parts.use(await startFakeChat({ delivery: { acknowledge } })), parts.use(await startFakeChat())];
    const view = await connected(parts, [one.address, two.address]);
    const key = KEYS.find((candidate) => view.copies.pick(candidate).relay.copy === one.copy) ?? "";
    const leaver = view.copies.pick(key);
    const asked = once(one.asked, "acknowledge");
    const call = leaver.deliveries.acknowledge({ messageIds: [randomUUID()] }, { deadline: soon(), caller: CALLER });
    await asked;

    const drained = one.server.drain();
    await hearOf(view, "leaving", 1);
    const whileOneLeaves = [leaver.relay.isConnected, new Set(picks(view))];
    finish();
    await Promise.all([call, drained]);
    await two.server.drain();
    const absent = view.copies.pick("key");
    const error = await absent.deliveries.acknowledge({ messageIds: [] }, { deadline: soon() }).catch((reason: unknown) => reason);
    const unary = await absent.relay.channel.invoke("/any", Buffer.alloc(0), { deadline: soon() }).catch((reason: unknown) => reason);

    expect(whileOneLeaves).to.deep.equal([true, new Set([two.copy])]);
    expect([absent.relay.isConnected, absent.relay.copy]).to.deep.equal([false, undefined]);
    for (const failure of [error, unary]) {
      expect(failure).to.include({ status: "UNAVAILABLE", reason: "SERVICE_UNREACHABLE", retryAfterMs: 500 });
    }
  });
});
