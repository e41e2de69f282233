import { randomBytes, randomUUID } from "node:crypto";
import { expect } from "chai";
import { releaseConnection } from "../../../services/account/rpc/release-connection.ts";
import { callOf, check, logIn, openBench, present, reasonOf, stored } from "./bench.ts";

const REFUSED = "UNAUTHENTICATED ACCESS_TOKEN_REFUSED";

describe("an access token of an exchange", () => {
  it("is valid from its socket's address only", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);
    const { accessToken } = await present(bench, chat);

    expect(await reasonOf(check(bench, accessToken))).to.equal("OK");
    expect(await reasonOf(check(bench, accessToken, { address: "192.0.2.2" }))).to.equal(REFUSED);
    expect(await reasonOf(check(bench, randomBytes(32)))).to.equal(REFUSED);
  });

  it("is looked for in the database only when one of our keys made it", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);
    const { accessToken } = await present(bench, chat);
    const asked: string[] = [];
    const find = async (digest: string): Promise<null> => {
      asked.push(digest);
      return null;
    };
    const deaf = { ...bench, context: { ...bench.context, grants: { ...bench.context.grants, find } } };

    for (const garbage of [
      randomBytes(32),
      Buffer.alloc(32),
      Buffer.concat([accessToken.subarray(0, 31), Buffer.of((accessToken[31] ?? 0) ^ 1)]),
    ]) {
      expect(await reasonOf(check(deaf, garbage))).to.equal(REFUSED);
    }
    expect(asked).to.deep.equal([]);
    expect(await reasonOf(check(deaf, accessToken))).to.equal(REFUSED);
    expect(asked).to.have.length(1);
  });

  it("is denied to the other service, and confirms nothing there", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    const { accessToken } = await present(bench, chat);

    const reason = await reasonOf(check(bench, accessToken, { service: "account" }));

    expect(reason).to.equal("PERMISSION_DENIED ACCESS_TOKEN_OF_OTHER_SERVICE");
    expect((await stored(bench, sessionId)).families.chat.next?.generation).to.equal(2);
  });

  it("confirms the refresh token that was minted with it before the check is answered", async () => {
    await using bench = await openBench();
    const { chat, sessionId } = await logIn(bench);
    const { accessToken } = await present(bench, chat);

    await check(bench, accessToken);

    expect((await stored(bench, sessionId)).families.chat)
      .to.include({ generation: 2 })
      .and.not.have.property("next");
  });

  it("ends with its connection, and those of other connections do not", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);
    const first = await present(bench, chat, { connection: 1 });
    const second = await present(bench, chat, { connection: 2 });
    const release = releaseConnection(bench.context);

    await release({ incarnation: bench.gateway.incarnation, connection: 1, grantIds: [first.grantId] }, callOf());

    expect(await reasonOf(check(bench, first.accessToken))).to.equal(REFUSED);
    expect(await reasonOf(check(bench, second.accessToken))).to.equal("OK");
  });

  it("ends with its connection also when a gateway of the version before names only that", async () => {
    await using bench = await openBench();
    const another = { ...bench, gateway: { ...bench.gateway, incarnation: randomUUID() } };
    await bench.context.leases.renew(another.gateway.incarnation);
    const { chat } = await logIn(bench);
    const closed = [await present(bench, chat, { connection: 1 }), await present(bench, chat, { connection: 1 })];
    const open = [await present(bench, chat, { connection: 2 }), await present(another, chat, { connection: 1 })];

    await releaseConnection(bench.context)({ incarnation: bench.gateway.incarnation.toUpperCase(), connection: 1, grantIds: [] }, callOf());

    const reasons = await Promise.all([...closed, ...open].map(({ accessToken }) => reasonOf(check(bench, accessToken))));
    expect(reasons).to.deep.equal([REFUSED, REFUSED, "OK", "OK"]);
  });

  it("ends with the lease of its gateway, and lives again with it", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);
    const { accessToken } = await present(bench, chat);

    await bench.db.collection("leases").updateMany({}, { $set: { expiresAt: new Date(0) } });
    const lapsed = await reasonOf(check(bench, accessToken));
    await bench.context.leases.renew(bench.gateway.incarnation);

    expect(lapsed).to.equal(REFUSED);
    expect(await reasonOf(check(bench, accessToken))).to.equal("OK");
  });

  it("is not refused for a lapsed lease while gateways may not have renewed theirs", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);
    const { accessToken } = await present(bench, chat);
    await bench.context.leases.end(bench.gateway.incarnation);
    const settling = { ...bench, context: { ...bench.context, leaseWatch: { isSettling: true, seenUp: () => undefined } } };

    expect(await reasonOf(check(settling, accessToken))).to.equal("UNAVAILABLE LEASES_UNSETTLED");
    expect(await reasonOf(check(settling, randomBytes(32)))).to.equal(REFUSED);
  });

  it("is swept when its gateway is gone for good, and only then", async () => {
    await using bench = await openBench();
    const { chat } = await logIn(bench);
    const kept = await present(bench, chat);
    const gone = await present({ ...bench, gateway: { ...bench.gateway, incarnation: randomUUID() } }, chat);
    await bench.db.collection("leases").updateMany({}, { $set: { expiresAt: new Date(0) } });

    await bench.context.grants.sweep(new Date(Date.now() - 60_000));
    const young = await bench.db.collection("grants").countDocuments();
    await bench.context.grants.sweep(new Date(Date.now() + 60_000));

    expect(young).to.equal(2);
    await bench.context.leases.renew(bench.gateway.incarnation);
    expect(await reasonOf(check(bench, kept.accessToken))).to.equal("OK");
    expect(await reasonOf(check(bench, gone.accessToken))).to.equal(REFUSED);
    expect(await bench.db.collection("grants").countDocuments()).to.equal(1);
  });
});
