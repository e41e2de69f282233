import { expect } from "chai";
import { SallyportError } from "../../../platform/errors.ts";
import { filterAccounts } from "../../../services/account/rpc/filter-accounts.ts";
import { login } from "../../../services/account/rpc/login.ts";
import { callOf, check, logIn, openBench, present, reasonOf } from "./bench.ts";

describe("a login", () => {
  it("creates the account once, however many come at once", async () => {
    await using bench = await openBench();

    const logins = await Promise.all(Array.from({ length: 40 }, () => logIn(bench, "alice")));

    expect(new Set(logins.map(({ accountId }) => accountId))).to.have.length(1);
    expect(logins.filter(({ created }) => created)).to.have.length(1);
    expect(new Set(logins.map(({ sessionId }) => sessionId))).to.have.length(40);
  });

  it("takes the name to the letter", async () => {
    await using bench = await openBench();

    const logins = await Promise.all(["alice", "Alice", " alice", "$alice", "a\u0000lice"].map((name) => logIn(bench, name)));

    expect(new Set(logins.map(({ accountId }) => accountId))).to.have.length(5);
  });

  it("gives a pair for each service, whose refresh tokens work and whose access tokens do not", async () => {
    await using bench = await openBench();

    const { tokens } = await logIn(bench);

    expect(Object.keys(tokens)).to.have.members(["account", "chat"]);
    for (const service of ["account", "chat"] as const) {
      const { refreshToken, accessToken } = tokens[service] ?? { refreshToken: Buffer.alloc(0), accessToken: Buffer.alloc(0) };
      expect([refreshToken.length, accessToken.length]).to.deep.equal([1024, 32]);
      expect(await reasonOf(check(bench, accessToken, { service }))).to.equal("UNAUTHENTICATED ACCESS_TOKEN_REFUSED");
      expect((await present(bench, refreshToken, { service })).generation).to.equal(2);
    }
  });

  it("gives access tokens that work at once, from anywhere, for their service, in debug mode", async () => {
    await using bench = await openBench({ debug: true });
    const { tokens, accountId } = await logIn(bench);
    const accessToken = tokens["account"]?.accessToken ?? Buffer.alloc(0);

    const checked = await check(bench, accessToken, { service: "account", address: "2001:db8::1" });

    expect(checked.accountId).to.equal(accountId);
    expect(await reasonOf(check(bench, accessToken))).to.equal("PERMISSION_DENIED ACCESS_TOKEN_OF_OTHER_SERVICE");
  });

  it("with dev credentials is denied where they are switched off", async () => {
    await using bench = await openBench({ devLogin: false });

    expect(await reasonOf(logIn(bench))).to.equal("PERMISSION_DENIED DEV_LOGIN_DISABLED");
  });

  it("with an identity of a provider that is not configured names the field", async () => {
    await using bench = await openBench();
    const credential = { $case: "oidc", value: { provider: "google", idToken: "x", nonce: "" } } as const;

    const error = await Promise.resolve(login(bench.context)({ credential, client: undefined }, callOf())).catch(
      (thrown: unknown) => thrown,
    );

    expect(error).to.be.instanceOf(SallyportError);
    expect((error as SallyportError).violations.map(({ field }) => field)).to.deep.equal(["oidc.provider"]);
  });

  it("makes the account known to other services", async () => {
    await using bench = await openBench();
    const { accountId } = await logIn(bench);
    const nobody = "00000000-0000-4000-8000-000000000000";

    const { accountIds } = await filterAccounts(bench.context)({ accountIds: [accountId.toUpperCase(), nobody] }, callOf());

    expect(accountIds).to.deep.equal([accountId]);
  });
});
