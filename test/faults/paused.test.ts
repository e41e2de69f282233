import { expect } from "chai";
import { startGatewayBeside } from "../support/gateway-process.ts";
import { call, connect, connectAndConfirm, exchange, logIn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Stack, startStack } from "../support/stack.ts";

describe("an account service that is paused in the middle of a judgement", () => {
  let stack: Stack;

  before(async () => {
    stack = await startStack({ env: { ACCOUNT_REUSE_GRACE_MS: "0" } });
  });

  after(() => stack[Symbol.asyncDispose]());

  it("drops the judgement (4503), acts on nothing when it wakes, and logs nobody out", async function () {
    this.timeout(60_000);
    const people = await Promise.all(Array.from({ length: 8 }, () => logIn(stack.httpUrl)));
    const sockets = await Promise.all(people.map(() => RawSocket.open(stack.httpUrl, "/connect/account")));
    const account = await stack.pidOf("account");

    for (const [index, socket] of sockets.entries()) {
      socket.send(people[index]?.tokens.account.refreshToken ?? Buffer.alloc(0));
      if (index === 3) {
        process.kill(account, "SIGSTOP");
      }
    }
    const firsts = await Promise.all(sockets.map((socket) => socket.next()));
    process.kill(account, "SIGCONT");

    // Those that were judged before the pause have their successor; the others were not judged.
    const codes = firsts.flatMap((first) => ("closed" in first ? [first.closed] : []));
    expect(new Set(codes)).to.deep.equal(new Set([4503]));
    for (const socket of sockets) {
      socket.cut();
    }
    // The gateway may have given up its stream to the account service meanwhile.
    await stack.ready();
    for (const { tokens } of people) {
      const connected = await connectAndConfirm(stack.httpUrl, "account", tokens.account.refreshToken);
      expect(await statusOfCall(stack.httpUrl, connected.accessToken)).to.equal(200);
      connected.socket.cut();
    }
  });

  it("does not take a token for stolen that was presented before the pause and retired after it", async function () {
    this.timeout(60_000);
    const { tokens } = await logIn(stack.httpUrl);
    const first = await connect(stack.httpUrl, "account", tokens.account.refreshToken);
    await using waiting = await RawSocket.open(stack.httpUrl, "/connect/account");
    const account = await stack.pidOf("account");

    process.kill(account, "SIGSTOP");
    waiting.send(tokens.account.refreshToken);
    const close = await waiting.closed();
    first.socket.sendFrame({ $case: "keepAlive", value: {} });
    process.kill(account, "SIGCONT");
    await stack.ready();
    await using next = await RawSocket.open(stack.httpUrl, "/connect/account");
    const successor = await exchange(next, first.refreshToken);

    expect(close.code).to.equal(4503);
    expect(await statusOfCall(stack.httpUrl, successor.accessToken)).to.equal(200);
  });
});

describe("a gateway that is paused with a token unread", () => {
  it("does not have the token judged as if it had just come: it is no theft, and nobody is logged out", async function () {
    this.timeout(90_000);
    await using stack = await startStack({ env: { ACCOUNT_REUSE_GRACE_MS: "5000", GATEWAY_HELLO_TIMEOUT_MS: "7000" } });
    await using paused = await startGatewayBeside(stack);
    const { tokens } = await logIn(stack.httpUrl);
    await using late = await RawSocket.open(paused.httpUrl, "/connect/account");
    const pid = paused.child.pid ?? Number.NaN;

    process.kill(pid, "SIGSTOP");
    late.send(tokens.account.refreshToken);
    const first = await connectAndConfirm(stack.httpUrl, "account", tokens.account.refreshToken);
    // The grace and the deadline of an exchange have passed when a socket that sends nothing is closed.
    await using silent = await RawSocket.open(stack.httpUrl, "/connect/account");
    await silent.closed();
    process.kill(pid, "SIGCONT");
    const { code } = await late.closed();
    await using next = await RawSocket.open(stack.httpUrl, "/connect/account");
    const successor = await exchange(next, first.refreshToken);

    expect(code).to.equal(4503);
    expect(await statusOfCall(stack.httpUrl, successor.accessToken)).to.equal(200);
    first.socket.cut();
  });
});

/** What a call with an access token is answered, once it can be judged: after a pause a lapsed lease says nothing for a while. */
async function statusOfCall(httpUrl: string, accessToken: Buffer): Promise<number> {
  for (;;) {
    const { status } = await call(httpUrl, "sallyport.account.v1.AccountService/GetAccount", {}, accessToken);
    if (status !== 503) {
      return status;
    }
  }
}
