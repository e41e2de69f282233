import { expect } from "chai";
import { type Cut, CutProxy } from "../support/cut-proxy.ts";
import { confirm, logIn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Stack, sharedStack } from "../support/stack.ts";

/** An honest client's memory: the newest refresh token that reached it whole. */
interface Client {
  newest: Buffer;
}

const LANES = 16;

/** Exchanges and confirms as an honest client does; answers how it ended, and keeps what arrived whole. */
async function attempt(httpUrl: string, client: Client): Promise<"confirmed" | "cut" | number> {
  await using socket = RawSocket.start(httpUrl, "/connect/chat");
  let expected = 1024;
  const opened = new Promise<void>((resolve) => socket.socket.once("open", resolve).once("close", () => resolve()));
  await opened;
  if (socket.socket.readyState === socket.socket.OPEN) {
    socket.send(client.newest);
  }
  for (;;) {
    const arrival = await socket.next();
    if ("closed" in arrival) {
      return arrival.closed >= 4000 ? arrival.closed : "cut";
    }
    if (!("binary" in arrival) || arrival.binary.length !== expected) {
      throw new Error("not the exchange's order");
    }
    if (expected === 1024) {
      client.newest = arrival.binary;
      expected = 32;
    } else {
      const isConfirmed = await confirm(socket).then(
        () => true,
        () => false,
      );
      return isConfirmed ? "confirmed" : "cut";
    }
  }
}

/** How many bytes a whole, confirmed exchange takes in each direction. */
async function measure(proxy: CutProxy, client: Client): Promise<{ up: number; down: number }> {
  proxy.cutAt({ direction: "up", after: Number.POSITIVE_INFINITY });
  expect(await attempt(proxy.httpUrl, client)).to.equal("confirmed");
  return { ...proxy.passed };
}

describe("an exchange that is cut", () => {
  let stack: Stack;

  before(async () => {
    stack = await sharedStack({ ACCOUNT_REUSE_GRACE_MS: "0" });
  });

  it("after any byte in either direction never locks the client out, even without a grace", async function () {
    this.timeout(120_000);
    await using measuring = await CutProxy.start(stack.httpUrl);
    const first = { newest: (await logIn(stack.httpUrl)).tokens.chat.refreshToken };
    const whole = await measure(measuring, first);
    const cuts: Cut[] = (["up", "down"] as const).flatMap((direction) =>
      Array.from({ length: whole[direction] }, (_, after) => ({ direction, after })),
    );

    const outcomes = new Map<string, number>();
    const lane = async (): Promise<void> => {
      const client = { newest: (await logIn(stack.httpUrl)).tokens.chat.refreshToken };
      await using proxy = await CutProxy.start(stack.httpUrl);
      for (let cut = cuts.pop(); cut !== undefined; cut = cuts.pop()) {
        proxy.cutAt(cut);
        const outcome = String(await attempt(proxy.httpUrl, client));
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        const after = await attempt(stack.httpUrl, client);
        expect(after, `after a cut ${cut.direction} at byte ${cut.after}`).to.equal("confirmed");
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));

    expect([...outcomes.keys()]).to.deep.equal(["cut"]);
    expect(outcomes.get("cut")).to.equal(whole.up + whole.down);
  });
});
