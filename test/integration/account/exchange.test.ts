import { expect } from "chai";
import { check, confirm, logIn, openBench, present, reasonOf, stored } from "./bench.ts";

describe("the exchange of a refresh token", () => {
  it("gives a successor and an access token, and after the confirmation the successor goes on", async () => {
    await using bench = await openBench();
    const { chat, accountId, sessionId } = await logIn(bench);

    const first = await present(bench, chat);
    const checked = await check(bench, first.accessToken);
    const second = await present(bench, first.nextRefreshToken);

    expect(first).to.include({ accountId, sessionId, generation: 2 });
    expect(checked).to.deep.equal({ accountId, sessionId });
    expect(second.generation).to.equal(3);
    expect((await stored(bench, sessionId)).families.chat).to.include({ generation: 2 });
  });

  it("answers the old token with the same successor and a fresh access token until the successor is confirmed", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);

    const answers = [await present(bench, chat), await present(bench, chat), await present(bench, chat)];

    expect(new Set(answers.map(({ nextRefreshToken }) => nextRefreshToken.toString("hex")))).to.have.length(1);
    expect(new Set(answers.map(({ accessToken }) => accessToken.toString("hex")))).to.have.length(3);
  });

  it("gives a hundred parallel presentations one successor while a confirmation races with them", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    const first = await present(bench, chat);

    const confirmed = Promise.all(Array.from({ length: 20 }, () => confirm(bench, sessionId, first.generation)));
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async () => {
        try {
          return (await present(bench, chat)).nextRefreshToken.toString("hex");
        } catch (error) {
          return await reasonOf(Promise.reject(error));
        }
      }),
    );
    await confirmed;

    const allowed = [first.nextRefreshToken.toString("hex"), "UNAVAILABLE REFRESH_TOKEN_JUST_RETIRED"];
    expect(allowed).to.include.members([...new Set(outcomes)]);
    expect((await stored(bench, sessionId)).families.chat)
      .to.include({ generation: 2 })
      .and.not.have.property("next");
  });

  it("gives a hundred parallel presentations of the newest token one successor", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);

    const answers = await Promise.all(Array.from({ length: 100 }, (_, connection) => present(bench, chat, { connection })));

    expect(new Set(answers.map(({ nextRefreshToken }) => nextRefreshToken.toString("hex")))).to.have.length(1);
    expect(new Set(answers.map(({ accessToken }) => accessToken.toString("hex")))).to.have.length(100);
    expect((await stored(bench, sessionId)).families.chat.next).to.include({ generation: 2 });
  });
});
