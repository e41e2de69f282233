import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { followUp } from "../../../services/account/follow-up.ts";
import { deleteAccount } from "../../../services/account/rpc/delete-account.ts";
import { endSessions } from "../../../services/account/rpc/end-sessions.ts";
import { filterAccounts } from "../../../services/account/rpc/filter-accounts.ts";
import { findAccount } from "../../../services/account/rpc/find-account.ts";
import { listSessions } from "../../../services/account/rpc/list-sessions.ts";
import { logoutEverywhere } from "../../../services/account/rpc/logout-everywhere.ts";
import { releaseConnection } from "../../../services/account/rpc/release-connection.ts";
import { setAccountLocked } from "../../../services/account/rpc/set-account-locked.ts";
import type { Identity } from "../../../services/account/store/schema.ts";
import { type Bench, callOf, check, confirm, eventsOf, logIn, openBench, operatorCall, present, reasonOf } from "./bench.ts";

function identityOf(name: string): Identity {
  return { issuer: "https://id.example", subject: name };
}

/** Everything that happens to an account, from its first login to what its deletion leaves to do. */
async function liveAndGo(bench: Bench, name: string): Promise<void> {
  const { context } = bench;
  const stolen = await logIn(bench, name);
  const { accountId } = stolen;
  const { accessToken, generation } = await present(bench, stolen.chat, { connection: 2 });
  await check(bench, accessToken);
  await confirm(bench, stolen.sessionId, generation);
  await releaseConnection(context)({ incarnation: bench.gateway.incarnation, connection: 2, grantIds: [] }, callOf());
  await reasonOf(present(bench, stolen.chat));
  const session = await logIn(bench, name);
  const identity = identityOf(name);
  await context.accounts.link(accountId, identity);
  await context.accounts.findOrCreate({ identity }, randomUUID());
  await eventsOf(bench, session);
  await listSessions(context)({}, callOf(session));
  await filterAccounts(context)({ accountIds: [accountId] }, callOf());
  await findAccount(context)({ key: { $case: "devName", value: name } }, operatorCall());
  await logoutEverywhere(context)({}, callOf(session));
  await endSessions(context)({ accountId }, operatorCall());
  await setAccountLocked(context)({ accountId, locked: true }, operatorCall());
  await setAccountLocked(context)({ accountId, locked: false }, operatorCall());
  await context.revocations.listSince(Date.now());
  await deleteAccount(context)({}, callOf(await logIn(bench, name)));
  const due = await context.closings.takeDue();
  await followUp(context, { erase: async () => undefined }, due ?? expect.fail("nothing is due"));
}

describe("the database of the account service", () => {
  it("finds whatever it is asked for by an index, in the order of the index, and reads nothing of other accounts", async () => {
    await using bench = await openBench({ reuseGraceMs: 0 });
    for (let other = 0; other < 50; other += 1) {
      const { accountId, chat } = await logIn(bench, `other ${other}`);
      await bench.context.accounts.link(accountId, identityOf(`other ${other}`));
      await present(bench, chat);
    }

    await bench.db.command({ profile: 2 });
    await liveAndGo(bench, "alice");
    await bench.db.command({ profile: 0 });

    const operations = (await bench.db.collection("system.profile").find().toArray()).filter(({ ns }) => !String(ns).includes("system."));
    const wide = operations.filter(
      ({ planSummary, hasSortStage, docsExamined }) =>
        planSummary === "COLLSCAN" || hasSortStage === true || Number(docsExamined ?? 0) > 20,
    );
    expect(operations.length).to.be.greaterThan(50);
    expect(wide.map(({ ns, op, planSummary, command }) => [ns, op, planSummary, command])).to.deep.equal([]);
  });
});
