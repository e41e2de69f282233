import { resolve } from "node:path";
import { expect } from "chai";
import { type Layout, startLayout } from "../../bin/chaos/layout.ts";
import { stepDown } from "../../bin/mongod/member-set.ts";
import { connectAndConfirm, logIn, type Person } from "../support/people.ts";
import { pidToSignal } from "../support/pid-to-signal.ts";
import { PlainCallers } from "../support/plain-callers.ts";
import { RawSocket } from "../support/raw-socket.ts";

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");
const PEOPLE = 10;
const CALLS_BETWEEN = 200;
const NEVER = new AbortController().signal;

/** What becomes of a primary. */
const BLOWS: Readonly<Record<string, (primary: { readonly port: number; readonly pid: () => number | undefined }) => Promise<void>>> = {
  "that steps down": ({ port }) => stepDown(port, 10),
  "that is killed": async ({ pid }) => {
    process.kill(pidToSignal(pid()), "SIGKILL");
  },
};

/** The ids of all messages that wait for a person, as they come. */
async function receiveAll(httpUrl: string, { tokens }: Person): Promise<readonly unknown[]> {
  const { socket } = await connectAndConfirm(httpUrl, "chat", tokens.chat.refreshToken);
  await using _ = socket;
  const ids: unknown[] = [];
  for (;;) {
    const { message, queueEmpty } = await socket.event();
    if (queueEmpty !== undefined) {
      return ids;
    }
    if (message !== undefined) {
      ids.push(message["id"]);
      socket.sendFrame({ $case: "ack", value: { messageIds: [String(message["id"])] } });
    }
  }
}

/** Presents a token until it is accepted; answers the close codes before that, and the successor. */
async function presentUntilAccepted(httpUrl: string, { tokens }: Person): Promise<{ codes: ReadonlySet<number>; successor: Buffer }> {
  const codes = new Set<number>();
  for (;;) {
    await using socket = await RawSocket.open(httpUrl, "/connect/account");
    socket.send(tokens.account.refreshToken);
    const first = await socket.next();
    if ("binary" in first) {
      return { codes, successor: first.binary };
    }
    codes.add("closed" in first ? first.closed : 0);
  }
}

describe("a replica set under calls", () => {
  let layout: Layout;

  before(async function () {
    this.timeout(120_000);
    const shape = { gateways: 1, chats: 1, accounts: 1, mongods: 3, entry: ENTRY, env: {} };
    layout = await startLayout(shape, { env: process.env, warn: console.error, stop: NEVER });
  });

  beforeEach(async function () {
    this.timeout(120_000);
    await layout.ready();
  });

  after(() => layout[Symbol.asyncDispose]());

  for (const [what, strike] of Object.entries(BLOWS)) {
    it(`with a primary ${what}: calls end with OK or with "unavailable" and when to retry, sockets stay open, what was accepted arrives once`, async function () {
      this.timeout(120_000);
      const [httpUrl = ""] = layout.gatewayUrls;
      await using callers = await PlainCallers.start(httpUrl, PEOPLE);
      await callers.acceptMore(CALLS_BETWEEN);

      await strike((await layout.database.primary()) ?? { port: 0, pid: () => undefined });
      await callers.acceptMore(CALLS_BETWEEN);
      await callers.stop();

      expect([...callers.outcomes.keys()].filter((outcome) => !/^(OK|unavailable, retry after \d+ ms)$/.test(outcome))).to.deep.equal([]);
      expect(callers.open).to.equal(PEOPLE);
      const received = await receiveAll(httpUrl, callers.recipient);
      // What ended with "unavailable" may have been accepted all the same.
      expect(received).to.include.members(callers.accepted);
      expect(new Set(received).size).to.equal(received.length);
    });
  }

  it("answers an exchange while there is no primary with 4503, and the token is not used up", async function () {
    this.timeout(120_000);
    const [httpUrl = ""] = layout.gatewayUrls;
    const person = await logIn(httpUrl);
    const primary = await layout.database.primary();

    process.kill(pidToSignal(primary?.pid()), "SIGKILL");
    const { codes, successor } = await presentUntilAccepted(httpUrl, person);
    const next = await connectAndConfirm(httpUrl, "account", successor);
    await next.socket[Symbol.asyncDispose]();

    expect([...codes].filter((code) => code !== 4503)).to.deep.equal([]);
  });
});
