import { expect } from "chai";
import { AccessChecks } from "../../../gateway/access.ts";
import type { Services } from "../../../gateway/relay.ts";

const ADDRESS = "127.0.0.1";
const token = (index: number): Buffer => {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32BE(index);
  return bytes;
};
const bearer = (index: number): string => `Bearer ${token(index).toString("base64")}`;

/** Checks against an account service for which every token has a session of its own. */
function recordingChecks(answer: (sessionId: string) => Promise<string> = async (sessionId) => sessionId): {
  checks: AccessChecks;
  asked: number[];
} {
  const asked: number[] = [];
  const tokens = {
    checkAccessToken: async ({ accessToken }: { accessToken: Buffer }) => {
      const index = accessToken.readUInt32BE();
      asked.push(index);
      return { accountId: "account", sessionId: await answer(`session ${index}`) };
    },
  };
  const services = { account: { pick: () => ({ tokens }) } } as unknown as Services;
  return {
    checks: new AccessChecks(
      () => services,
      () => 0,
    ),
    asked,
  };
}

async function reasonOf(check: Promise<unknown>): Promise<string> {
  return await check.then(
    () => "accepted",
    (error: { reason: string }) => error.reason,
  );
}

describe("checks of access tokens", () => {
  it("forget the tokens of one session and believe the others", async () => {
    const { checks, asked } = recordingChecks();
    await checks.check(bearer(1), "chat", ADDRESS);
    await checks.check(bearer(1), "account", ADDRESS);
    await checks.check(bearer(2), "chat", ADDRESS);

    checks.forgetSession("session 1");
    checks.forgetSession("session 3");
    await checks.check(bearer(1), "chat", ADDRESS);
    await checks.check(bearer(1), "account", ADDRESS);
    await checks.check(bearer(2), "chat", ADDRESS);

    expect(asked).to.deep.equal([1, 1, 2, 1, 1]);
  });

  it("do not believe what was under way when a session ended", async () => {
    let finish: () => void = () => undefined;
    const { checks, asked } = recordingChecks(
      (sessionId) =>
        new Promise((resolve) => {
          finish = () => resolve(sessionId);
        }),
    );
    const first = checks.check(bearer(1), "chat", ADDRESS);

    checks.forgetSession("another");
    finish();
    await first;
    const second = checks.check(bearer(1), "chat", ADDRESS);
    finish();
    await second;

    expect(asked).to.deep.equal([1, 1]);
  });

  it("are not all looked at when a session ends", async () => {
    const { checks } = recordingChecks();
    for (let index = 0; index < 20_000; index += 1) {
      await checks.check(bearer(index), "chat", ADDRESS);
    }
    const startedAt = performance.now();

    for (let index = 0; index < 20_000; index += 1) {
      checks.forgetSession(`unknown ${index}`);
    }

    expect(performance.now() - startedAt).to.be.below(1_000);
  });

  for (const scheme of ["Bearer", "bearer", "BEARER"]) {
    it(`take the scheme ${scheme}`, async () => {
      const { checks } = recordingChecks();

      const caller = await checks.check(`${scheme} ${token(5).toString("base64")}`, "chat", ADDRESS);

      expect(caller).to.deep.equal({ accountId: "account", sessionId: "session 5", service: "chat" });
    });
  }

  for (const [title, text] of [
    ["ends in another digit of the same bytes", `${"A".repeat(42)}B=`],
    ["ends in a digit whose case was changed, so that it is not canonical", `${"A".repeat(42)}u=`],
    ["is base64url", `${"-".repeat(42)}8=`],
    ["has no padding", "A".repeat(43)],
    ["has too much padding", `${"A".repeat(43)}==`],
    ["has 31 bytes", Buffer.alloc(31).toString("base64")],
    ["has 33 bytes", Buffer.alloc(33).toString("base64")],
    ["is empty", ""],
    ["comes twice", `${"A".repeat(43)}=, Bearer ${"A".repeat(43)}=`],
  ] as const) {
    it(`refuse a token that ${title}, without asking`, async () => {
      const { checks, asked } = recordingChecks();

      const reason = await reasonOf(checks.check(`Bearer ${text}`, "chat", ADDRESS));

      expect(reason).to.equal("CREDENTIAL_MISSING");
      expect(asked).to.deep.equal([]);
    });
  }
});
