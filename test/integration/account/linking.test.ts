import { randomUUID } from "node:crypto";
import { expect } from "chai";
import type { Document } from "../../../platform/mongo.ts";
import { deleteAccount } from "../../../services/account/rpc/delete-account.ts";
import { linkIdentity } from "../../../services/account/rpc/link-identity.ts";
import { login } from "../../../services/account/rpc/login.ts";
import { type Bench, callOf, logIn, openBench, reasonOf } from "./bench.ts";

const FRESH_MS = 600_000;
const NOT_FRESH = "FAILED_PRECONDITION FRESH_LOGIN_REQUIRED";

/** A bench whose one provider believes every ID token: its text is the subject. `loggedInMsAgo` is how old their logins are. */
async function openLinkingBench({ loggedInMsAgo = 0 } = {}): Promise<Bench> {
  const bench = await openBench();
  const identityProviders = {
    verify: async ({ provider, idToken }: { provider: string; idToken: string }) => ({
      issuer: `https://${provider}.example`,
      subject: idToken,
      loggedInAt: new Date(bench.context.clock() - loggedInMsAgo),
    }),
  };
  return { ...bench, context: { ...bench.context, identityProviders } };
}

function credential(subject: string, provider = "p"): { provider: string; idToken: string; nonce: string } {
  return { provider, idToken: subject, nonce: "n" };
}

async function logInAs({ context }: Bench, subject: string, provider?: string): Promise<{ accountId: string; created: boolean }> {
  return login(context)({ credential: { $case: "oidc", value: credential(subject, provider) }, client: undefined }, callOf());
}

async function link({ context }: Bench, caller: { accountId: string; sessionId: string }, subject: string): Promise<void> {
  await linkIdentity(context)({ oidc: credential(subject) }, callOf(caller));
}

async function heldBy({ db }: Bench, accountId: string): Promise<Document | undefined> {
  return (await db.collection<{ _id: string; identities?: Document }>("accounts").findOne({ _id: accountId }))?.identities;
}

describe("a login with an identity", () => {
  it("finds its account by issuer and subject together", async () => {
    await using bench = await openLinkingBench();

    const first = await logInAs(bench, "alice");
    const again = await logInAs(bench, "alice");
    const elsewhere = await logInAs(bench, "alice", "q");
    const other = await logInAs(bench, "Alice");

    expect([first.created, again.created, elsewhere.created, other.created]).to.deep.equal([true, false, true, true]);
    expect(new Set([first, again, elsewhere, other].map(({ accountId }) => accountId))).to.have.length(3);
    expect(again.accountId).to.equal(first.accountId);
  });

  it("does not find the account of a dev name that is the same text", async () => {
    await using bench = await openLinkingBench();

    const [dev, identity] = [await logIn(bench, "alice"), await logInAs(bench, "alice")];

    expect(identity.accountId).to.not.equal(dev.accountId);
  });

  it("makes one account, however many come at once", async () => {
    await using bench = await openLinkingBench();

    const logins = await Promise.all(Array.from({ length: 40 }, () => logInAs(bench, "alice")));

    expect(new Set(logins.map(({ accountId }) => accountId))).to.have.length(1);
    expect(logins.filter(({ created }) => created)).to.have.length(1);
  });

  it("makes a new account after its account was deleted", async () => {
    await using bench = await openLinkingBench();
    const first = await logInAs(bench, "alice");

    await deleteAccount(bench.context)({}, callOf({ accountId: first.accountId, sessionId: randomUUID() }));
    const again = await logInAs(bench, "alice");

    expect(again.created).to.equal(true);
    expect(again.accountId).to.not.equal(first.accountId);
  });
});

describe("an identity that is linked", () => {
  it("logs in to the account, beside what logged in before", async () => {
    await using bench = await openLinkingBench();
    const alice = await logIn(bench);

    await link(bench, alice, "one");
    await link(bench, alice, "two");

    const logins = [await logInAs(bench, "one"), await logInAs(bench, "two"), await logIn(bench)];
    expect(logins.map(({ accountId, created }) => [accountId, created])).to.deep.equal(logins.map(() => [alice.accountId, false]));
  });

  it("may be linked again, also in parallel, and is held once", async () => {
    await using bench = await openLinkingBench();
    const alice = await logIn(bench);

    await Promise.all(Array.from({ length: 10 }, () => link(bench, alice, "one")));
    await link(bench, alice, "one");

    expect(await heldBy(bench, alice.accountId)).to.deep.equal([{ issuer: "https://p.example", subject: "one" }]);
  });

  it("is refused as the twenty-first, and one of the twenty is still fine", async () => {
    await using bench = await openLinkingBench();
    const alice = await logIn(bench);
    for (let nth = 1; nth <= 20; nth += 1) {
      await link(bench, alice, `number ${nth}`);
    }

    expect(await reasonOf(link(bench, alice, "one too many"))).to.equal("RESOURCE_EXHAUSTED TOO_MANY_IDENTITIES");
    expect(await reasonOf(link(bench, alice, "number 7"))).to.equal("OK");
  });

  it("is not another account's as well", async () => {
    await using bench = await openLinkingBench();
    const [alice, bob] = [await logIn(bench), await logIn(bench, "bob")];
    await link(bench, alice, "one");
    await logInAs(bench, "two");

    expect(await reasonOf(link(bench, bob, "one"))).to.equal("ALREADY_EXISTS IDENTITY_TAKEN");
    expect(await reasonOf(link(bench, bob, "two"))).to.equal("ALREADY_EXISTS IDENTITY_TAKEN");
    expect(await heldBy(bench, bob.accountId)).to.equal(undefined);
  });

  it("is one account's, however many want it at once, those that log in with it included", async () => {
    await using bench = await openLinkingBench();
    const people = await Promise.all(Array.from({ length: 20 }, (_, index) => logIn(bench, `p${index}`)));

    const [outcomes, made] = await Promise.all([
      Promise.all(people.map((person) => reasonOf(link(bench, person, "one")))),
      logInAs(bench, "one"),
    ]);

    const holders = await bench.db.collection("accounts").find({ "identities.subject": "one" }).toArray();
    expect(holders).to.have.length(1);
    expect(made.accountId).to.equal(String(holders[0]?._id));
    expect(outcomes.filter((outcome) => outcome === "OK")).to.have.length(made.created ? 0 : 1);
    expect(["OK", "ALREADY_EXISTS IDENTITY_TAKEN"]).to.include.members(outcomes);
  });

  it("is refused when the session logged in more than ten minutes ago", async () => {
    await using bench = await openLinkingBench();
    const alice = await logIn(bench);

    bench.passTime(FRESH_MS - 60_000);
    const inTime = await reasonOf(link(bench, alice, "one"));
    bench.passTime(60_001);
    const late = await reasonOf(link(bench, alice, "two"));

    expect([inTime, late]).to.deep.equal(["OK", NOT_FRESH]);
  });

  it("is refused when its login was more than ten minutes ago", async () => {
    for (const [loggedInMsAgo, expected] of [
      [FRESH_MS - 60_000, "OK"],
      [FRESH_MS + 60_000, NOT_FRESH],
    ] as const) {
      await using bench = await openLinkingBench({ loggedInMsAgo });
      const alice = await logIn(bench);

      expect(await reasonOf(link(bench, alice, "one"))).to.equal(expected);
    }
  });

  it("is refused to an account that is deleted meanwhile, and stays free", async () => {
    await using bench = await openLinkingBench();
    const alice = await logIn(bench);
    await deleteAccount(bench.context)({}, callOf(alice));

    expect(await reasonOf(link(bench, alice, "one"))).to.equal("NOT_FOUND ACCOUNT_NOT_FOUND");
    expect((await logInAs(bench, "one")).created).to.equal(true);
  });
});
