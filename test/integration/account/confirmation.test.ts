import { expect } from "chai";
import fc from "fast-check";
import { confirm as confirmed, type Family } from "../../../services/account/tokens/family.ts";
import { confirm, logIn, openBench, present, reasonOf, stored } from "./bench.ts";

const GRACE_MS = 5_000;

describe("the confirmation of a refresh token", () => {
  it("does in the database what the state machine says, in any history", async () => {
    await using bench = await openBench({ reuseGraceMs: GRACE_MS });
    const step = fc.oneof(
      fc.record({ kind: fc.constant("present" as const), back: fc.nat({ max: 1 }) }),
      fc.record({ kind: fc.constant("confirm" as const), back: fc.nat({ max: 3 }) }),
      fc.record({ kind: fc.constant("passTime" as const), ms: fc.nat({ max: 4_000 }) }),
    );

    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 14 }), async (steps) => {
        const { chat, sessionId } = await logIn(bench);
        const issued = [chat];
        for (const one of steps) {
          const before: Family = (await stored(bench, sessionId)).families.chat;
          if (one.kind === "passTime") {
            bench.passTime(one.ms);
          } else if (one.kind === "present") {
            const token = issued[Math.max(before.generation, issued.length - one.back) - 1] ?? chat;
            const { nextRefreshToken, generation } = await present(bench, token);
            issued[generation - 1] = nextRefreshToken;
          } else {
            const generation = Math.max(0, before.generation + 2 - one.back);
            await confirm(bench, sessionId, generation);

            const after: Family = (await stored(bench, sessionId)).families.chat;
            const now = after.retired.at(-1)?.at ?? new Date();
            expect(after).to.deep.equal(confirmed(before, generation, { now, graceMs: GRACE_MS }));
          }
        }
      }),
      { numRuns: 25 },
    );
  }).timeout(60_000);

  it("of many clients at once is written for each", async () => {
    await using bench = await openBench();
    const logins = await Promise.all(Array.from({ length: 30 }, (_, index) => logIn(bench, `client ${index}`)));
    await Promise.all(logins.map(({ chat }) => present(bench, chat)));

    await Promise.all(logins.map(({ sessionId }) => confirm(bench, sessionId, 2)));

    const families = await Promise.all(logins.map(async ({ sessionId }) => (await stored(bench, sessionId)).families.chat));
    expect(families.map(({ generation, next }) => [generation, next])).to.deep.equal(logins.map(() => [2, undefined]));
  });

  it("is OK again, for an older generation, and for a session that nobody knows", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    const { nextRefreshToken } = await present(bench, chat);
    await present(bench, nextRefreshToken);
    const before = await stored(bench, sessionId);

    for (const generation of [1, 2, 2, 9]) {
      await confirm(bench, sessionId, generation);
    }
    await confirm(bench, "00000000-0000-4000-8000-000000000000", 2);

    expect(await stored(bench, sessionId)).to.deep.equal(before);
  });

  it("of a service that there is none of is refused", async () => {
    await using bench = await openBench();
    const { sessionId } = await logIn(bench);

    expect(await reasonOf(confirm(bench, sessionId, 2, "mail" as "chat"))).to.equal("INVALID_ARGUMENT FIELD_RULE_VIOLATED");
  });
});
