import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { runCampaign } from "../fuzz/campaign.ts";
import { connectAndConfirm, logIn } from "../support/people.ts";
import { startStack } from "../support/stack.ts";

const WORKERS = 40;

describe("frames that no client should send", () => {
  it("are met as the protocol says, before the exchange and after it, and log nobody out", async function () {
    this.timeout(120_000);
    await using stack = await startStack({ env: { SALLYPORT_LIMITS: "off" } });
    const people = await Promise.all(Array.from({ length: WORKERS }, () => logIn(stack.httpUrl)));
    const tokens = people.map((person) => person.tokens.chat.refreshToken);

    const tally = await runCampaign({ httpUrl: stack.httpUrl, seed: 4, framesOfEach: 2_000, until: Date.now() + 60_000, tokens });

    expect(tally.surprises).to.deep.equal([]);
    expect([...tally.closes.keys()].sort((a, b) => a - b)).to.deep.equal([1006, 1009, 4400, 4401]);
    for (const token of tokens) {
      const { socket } = await connectAndConfirm(stack.httpUrl, "chat", token);
      socket.cut();
    }
    expect(stack.launcher.exitCode).to.equal(null);
  });

  it("control: an exchange that is refused and a code that is not the protocol's are reported", async () => {
    await using stack = await startStack({ env: { SALLYPORT_LIMITS: "off", GATEWAY_HELLO_TIMEOUT_MS: "1" } });

    const campaign = { httpUrl: stack.httpUrl, seed: 4, framesOfEach: 4, until: Date.now() + 10_000 };
    const { surprises } = await runCampaign({ ...campaign, tokens: [randomBytes(1024)] });

    expect(surprises.some((surprise) => surprise.startsWith("an honest exchange"))).to.equal(true);
    expect(surprises.some((surprise) => surprise.startsWith("first frame"))).to.equal(true);
  });
});
