import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { KeyRing } from "../../../platform/keys/ring.ts";
import { rotateKeys } from "../../../platform/keys/rotation.ts";
import { createTokenKeys } from "../../../services/account/token-keys.ts";
import { check, confirm, logIn, openBench, present, reasonOf, stored, told } from "./bench.ts";

const GRACE_MS = 50;
const REFUSED = "UNAUTHENTICATED REFRESH_TOKEN_REFUSED";

describe("the rotation of refresh tokens", () => {
  it("refuses a retired token within the grace, and the session goes on", async () => {
    await using bench = await openBench({ reuseGraceMs: 60_000 });
    const { chat, sessionId } = await logIn(bench);
    const { nextRefreshToken, generation } = await present(bench, chat);
    await confirm(bench, sessionId, generation);

    const reason = await reasonOf(present(bench, chat));

    expect(reason).to.equal("UNAVAILABLE REFRESH_TOKEN_JUST_RETIRED");
    expect((await present(bench, nextRefreshToken)).generation).to.equal(3);
    expect(await told(bench)).to.deep.equal([]);
  });

  it("takes a retired token after the grace for stolen: the session ends with the tokens of all its services", async () => {
    await using bench = await openBench({ reuseGraceMs: GRACE_MS });
    const { chat, sessionId, tokens } = await logIn(bench);
    const { nextRefreshToken, accessToken, generation } = await present(bench, chat);
    await confirm(bench, sessionId, generation);
    bench.passTime(GRACE_MS);

    const reason = await reasonOf(present(bench, chat));

    expect(reason).to.equal("UNAUTHENTICATED REFRESH_TOKEN_REUSED");
    expect(await told(bench)).to.deep.equal([sessionId]);
    expect(await reasonOf(present(bench, nextRefreshToken))).to.equal(REFUSED);
    expect(await reasonOf(present(bench, tokens["account"]?.refreshToken ?? randomBytes(1024), { service: "account" }))).to.equal(REFUSED);
    expect(await reasonOf(check(bench, accessToken))).to.equal("UNAUTHENTICATED ACCESS_TOKEN_REFUSED");
    expect(await stored(bench, sessionId)).to.include({ revokedFor: "reuse" });
  });

  it("finds a token stolen that the presentation of its successor's successor retired", async () => {
    await using bench = await openBench({ reuseGraceMs: GRACE_MS });
    const { chat, sessionId } = await logIn(bench);
    const second = await present(bench, chat);
    await present(bench, second.nextRefreshToken);
    const early = await reasonOf(present(bench, chat));
    bench.passTime(GRACE_MS);

    const late = await reasonOf(present(bench, chat));

    expect([early, late]).to.deep.equal(["UNAVAILABLE REFRESH_TOKEN_JUST_RETIRED", "UNAUTHENTICATED REFRESH_TOKEN_REUSED"]);
    expect(await told(bench)).to.deep.equal([sessionId]);
  });

  it("keeps the families of a session's services apart", async () => {
    await using bench = await openBench();
    const { chat, tokens, sessionId } = await logIn(bench);
    const account = tokens["account"]?.refreshToken ?? randomBytes(1024);

    await present(bench, chat);

    expect(await reasonOf(present(bench, chat, { service: "account" }))).to.equal(REFUSED);
    expect(await reasonOf(present(bench, account))).to.equal(REFUSED);
    expect((await present(bench, account, { service: "account" })).generation).to.equal(2);
    expect((await stored(bench, sessionId)).families.chat.next?.generation).to.equal(2);
  });

  it("refuses what is no token of ours without asking the database", async () => {
    await using bench = await openBench();
    const asked: string[] = [];
    const find = async (id: string): Promise<null> => {
      asked.push(id);
      return null;
    };
    const sessions = { ...bench.context.sessions, find };
    const deaf = { ...bench, context: { ...bench.context, sessions } };

    for (const garbage of [randomBytes(1024), randomBytes(1023), randomBytes(32), Buffer.alloc(0)]) {
      expect(await reasonOf(present(deaf, garbage))).to.equal(REFUSED);
    }

    expect(asked).to.deep.equal([]);
  });

  it("expires 90 days after the last exchange, and no sooner", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    bench.passTime(89 * 86_400_000);
    const { nextRefreshToken, generation } = await present(bench, chat);
    await confirm(bench, sessionId, generation);
    bench.passTime(89 * 86_400_000);
    const third = await present(bench, nextRefreshToken);
    bench.passTime(90 * 86_400_000);

    const reason = await reasonOf(present(bench, third.nextRefreshToken));

    expect(reason).to.equal(REFUSED);
    expect(await told(bench)).to.deep.equal([]);
  });

  it("goes on over a rotation of the keys by another process, with garbage about", async () => {
    await using bench = await openBench();
    await using other = await openBench();
    const { chat, sessionId } = await logIn(bench);
    await reasonOf(present(bench, randomBytes(1024)));
    await rotateKeys(bench.keysDir);
    const copy = { ...bench, context: { ...bench.context, keys: createTokenKeys(await KeyRing.open(bench.keysDir, "token")) } };
    const { nextRefreshToken, generation } = await present(copy, chat);
    await confirm(bench, sessionId, generation);

    const garbage = Array.from({ length: 10 }, () => reasonOf(present(bench, randomBytes(1024))));
    const answers = await Promise.all([present(bench, nextRefreshToken), present(bench, nextRefreshToken)]);

    expect(answers.map((answer) => answer.generation)).to.deep.equal([3, 3]);
    expect(await Promise.all(garbage)).to.deep.equal(Array(10).fill(REFUSED));
    expect(await reasonOf(present(other, nextRefreshToken))).to.equal(REFUSED);
  });
});
