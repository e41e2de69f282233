import { expect } from "chai";
import { Balancer } from "../support/balancer.ts";
import { type GatewayProcess, startGatewayBeside } from "../support/gateway-process.ts";
import { connectAndConfirm, logIn } from "../support/people.ts";
import type { RawSocket } from "../support/raw-socket.ts";
import { sharedStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const PEOPLE = 20;
const MESSAGES_EACH = 60;
const WATCHERS = 10;

async function connectWatchers({ httpUrl }: GatewayProcess): Promise<readonly RawSocket[]> {
  const connecting = Array.from({ length: WATCHERS }, async () => {
    const { tokens } = await logIn(httpUrl);
    return (await connectAndConfirm(httpUrl, "account", tokens.account.refreshToken)).socket;
  });
  return Promise.all(connecting);
}

/** What a socket is told of the end of its gateway. */
async function seeOff(socket: RawSocket): Promise<{ hintMs: number; code: number }> {
  const { draining } = await socket.event();
  const { code } = await socket.closed();
  return { hintMs: Number(draining?.["reconnectAfterMs"] ?? 0), code };
}

describe("one of two gateways that is asked to stop, and asked again on the way", () => {
  it("sends everybody to the other one: no call fails, no message is lost or comes twice, nobody has to log in", async function () {
    this.timeout(120_000);
    const stack = await sharedStack();
    await using leaving = await startGatewayBeside(stack, { GATEWAY_DRAIN_MS: "3000" });
    await using staying = await startGatewayBeside(stack);
    await using balancer = await Balancer.start([leaving.httpUrl, staying.httpUrl]);
    await using traffic = await Traffic.start(balancer.httpUrl, PEOPLE);
    const watchers = await connectWatchers(leaving);
    const seenOff = Promise.all(watchers.map(seeOff));
    const signals: NodeJS.Signals[] = ["SIGTERM", "SIGTERM", "SIGINT"];

    await traffic.send(MESSAGES_EACH, (accepted) => {
      if (accepted >= PEOPLE * 10 * (4 - signals.length)) {
        leaving.child.kill(signals.shift());
      }
    });
    const exitCode = await leaving.ended;
    const partings = await seenOff;
    await traffic.send(1);
    const verdict = await traffic.settle(60_000);

    expect(exitCode).to.equal(0);
    expect(new Set(partings.map(({ code }) => code))).to.deep.equal(new Set([4001]));
    expect(partings.every(({ hintMs }) => hintMs <= 3_000)).to.equal(true);
    expect(new Set(partings.map(({ hintMs }) => hintMs)).size).to.be.above(WATCHERS / 2);
    expect(verdict).to.deep.equal({ accepted: PEOPLE * (MESSAGES_EACH + 1), lost: [], duplicated: [], failed: [], loggedOut: [] });
  });
});
