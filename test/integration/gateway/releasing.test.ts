import { once } from "node:events";
import { expect } from "chai";
import type { PresentRefreshTokenResponse, ReleaseConnectionRequest } from "../../../proto/gen/sallyport/account/v1/token.ts";
import { ACCOUNT, GOOD_TOKEN, NEXT_TOKEN, SESSION } from "./fake-services.ts";
import { type Stack, startStack, TestSocket } from "./harness.ts";

describe("the access tokens of a socket that has closed", () => {
  it("are released by the names of their grants, those of all its services", async () => {
    let judged = 0;
    await using stack = await startStack({
      token: {
        presentRefreshToken: () => {
          judged += 1;
          return accepted(judged);
        },
      },
    });
    const socket = await new TestSocket(stack.gateway.address, "/connect/account,chat").exchange(2);
    const released = nextRelease(stack);

    socket.ws.terminate();

    expect((await released).grantIds).to.deep.equal([grantId(1), grantId(2)]);
  });

  it("are released when the answer to a judgement comes after its end", async () => {
    const judgement = heldJudgement();
    await using stack = await startStack({ token: { presentRefreshToken: judgement.judge } });
    const socket = await new TestSocket(stack.gateway.address).opened();
    const presented = once(stack.account.asked, "presentRefreshToken");
    socket.ws.send(GOOD_TOKEN);
    await presented;
    socket.ws.close();
    await socket.closed;
    const released = nextRelease(stack);

    judgement.accept();

    expect((await released).grantIds).to.deep.equal([grantId(1)]);
  });

  it("are released when its session was revoked while the token was judged", async () => {
    const judgement = heldJudgement();
    await using stack = await startStack({ token: { presentRefreshToken: judgement.judge } });
    using socket = await new TestSocket(stack.gateway.address).opened();
    const presented = once(stack.account.asked, "presentRefreshToken");
    socket.ws.send(GOOD_TOKEN);
    await presented;
    for (const gateway of stack.account.gateways) {
      gateway.revoke(SESSION);
    }
    const released = nextRelease(stack);

    judgement.accept();

    expect((await released).grantIds).to.deep.equal([grantId(1)]);
  });

  it("are not asked for when there are none", async () => {
    await using stack = await startStack();
    const released = nextRelease(stack);
    using refused = await new TestSocket(stack.gateway.address).opened();
    refused.ws.send(Buffer.alloc(1024));
    await refused.closed;

    const other = await new TestSocket(stack.gateway.address).exchange();
    other.ws.terminate();

    expect((await released).connection).to.equal(2);
  });
});

async function nextRelease({ account }: Stack): Promise<ReleaseConnectionRequest> {
  const [request] = (await once(account.asked, "releaseConnection")) as [ReleaseConnectionRequest];
  return request;
}

/** A judgement that is answered when the test says so. */
function heldJudgement(): { readonly judge: () => Promise<PresentRefreshTokenResponse>; readonly accept: () => void } {
  let accept: () => void = () => undefined;
  const answer = new Promise<PresentRefreshTokenResponse>((resolve) => {
    accept = () => resolve(accepted(1));
  });
  return { judge: () => answer, accept };
}

function accepted(number: number): PresentRefreshTokenResponse {
  const accessToken = Buffer.alloc(32, number);
  return { accountId: ACCOUNT, sessionId: SESSION, generation: 2, nextRefreshToken: NEXT_TOKEN, accessToken, grantId: grantId(number) };
}

function grantId(number: number): string {
  return `0${number}`.repeat(32);
}
