import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { LoginResponse } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { ProviderSettings } from "../../../services/account/identity/settings.ts";
import { login } from "../../../services/account/rpc/login.ts";
import { CLIENT_ID, type IdentityProvider, startIdentityProvider } from "../../support/identity-provider.ts";
import { type Bench, callOf, openBench, present, reasonOf } from "./bench.ts";

const REFUSED = "UNAUTHENTICATED ID_TOKEN_REFUSED";
const UNAVAILABLE = "UNAVAILABLE PROVIDER_UNAVAILABLE";

function settingsFor({ issuer }: Pick<IdentityProvider, "issuer">, settings: Partial<ProviderSettings> = {}): ProviderSettings {
  const clientIds = [CLIENT_ID];
  return { name: "corp", issuer, otherIssuers: [], clientIds, jwksUri: undefined, algorithms: ["RS256"], nonce: "plain", ...settings };
}

async function logInWith({ context }: Bench, idToken: string, nonce: string, provider = "corp"): Promise<LoginResponse> {
  const credential = { $case: "oidc", value: { provider, idToken, nonce } } as const;
  return login(context)({ credential, client: undefined }, callOf());
}

describe("a login with an OpenID Connect provider", () => {
  let provider: IdentityProvider;

  beforeEach(async () => {
    provider = await startIdentityProvider();
  });

  afterEach(() => provider[Symbol.asyncDispose]());

  it("makes an account on first use, finds it again, and gives tokens that work", async () => {
    await using bench = await openBench({ devLogin: false }, [settingsFor(provider)]);

    const first = await logInWith(bench, await provider.authorize("alice", "n-1"), "n-1");
    const second = await logInWith(bench, await provider.authorize("alice", "n-2"), "n-2");

    expect([first.created, second.created]).to.deep.equal([true, false]);
    expect(second.accountId).to.equal(first.accountId);
    expect((await present(bench, second.tokens["chat"]?.refreshToken ?? Buffer.alloc(0))).accountId).to.equal(first.accountId);
  });

  it("makes one account of parallel first logins, with one fetch of the keys", async () => {
    await using bench = await openBench({}, [settingsFor(provider)]);
    const idToken = await provider.authorize("alice", "n");

    const logins = await Promise.all(Array.from({ length: 20 }, () => logInWith(bench, idToken, "n")));

    expect(new Set(logins.map(({ accountId }) => accountId))).to.have.length(1);
    expect(provider.keyFetches()).to.equal(1);
  });

  it("never finds an account by its e-mail address", async () => {
    await using bench = await openBench({}, [settingsFor(provider)]);

    const alice = await logInWith(bench, await provider.authorize("alice", "n"), "n");
    const bob = await logInWith(bench, await provider.authorize("bob", "n"), "n");

    expect(bob).to.deep.include({ created: true });
    expect(bob.accountId).to.not.equal(alice.accountId);
  });

  it("tells the same subject of two providers apart, and from a dev name", async () => {
    await using other = await startIdentityProvider();
    await using bench = await openBench({}, [settingsFor(provider), settingsFor(other, { name: "other" })]);
    const dev = { $case: "dev", value: { name: "alice" } } as const;

    const logins = [
      await logInWith(bench, await provider.authorize("alice", "n"), "n"),
      await logInWith(bench, await other.authorize("alice", "n"), "n", "other"),
      await login(bench.context)({ credential: dev, client: undefined }, callOf()),
    ];

    expect(new Set(logins.map(({ accountId }) => accountId))).to.have.length(3);
    expect(logins.map(({ created }) => created)).to.deep.equal([true, true, true]);
  });

  it("goes on when the provider rotates its keys, at once", async () => {
    await using bench = await openBench({}, [settingsFor(provider)]);
    const before = await logInWith(bench, await provider.authorize("alice", "n"), "n");
    await provider.rotateKeys();

    const idToken = await provider.authorize("alice", "n");
    const logins = await Promise.all(Array.from({ length: 20 }, () => logInWith(bench, idToken, "n")));

    expect(new Set(logins.map(({ accountId }) => accountId))).to.deep.equal(new Set([before.accountId]));
    expect(provider.keyFetches()).to.equal(2);
  });

  it("is refused with another nonce than the client's, and with none", async () => {
    await using bench = await openBench({}, [settingsFor(provider)]);
    const idToken = await provider.authorize("alice", "n");

    expect(await reasonOf(logInWith(bench, idToken, "m"))).to.equal(REFUSED);
    expect(await reasonOf(logInWith(bench, idToken, ""))).to.equal(REFUSED);
    expect(await reasonOf(logInWith(bench, idToken, "n"))).to.equal("OK");
  });

  it("takes the nonce behind its hash where the provider is given the hash", async () => {
    await using bench = await openBench({}, [settingsFor(provider, { nonce: "sha256" })]);
    const idToken = await provider.authorize("alice", createHash("sha256").update("n").digest("hex"));

    expect(await reasonOf(logInWith(bench, idToken, "n"))).to.equal("OK");
    expect(await reasonOf(logInWith(bench, idToken, createHash("sha256").update("n").digest("hex")))).to.equal(REFUSED);
  });

  it("is refused with a token for somebody else's app, of another provider, or from before", async () => {
    await using other = await startIdentityProvider();
    const strangers = settingsFor(provider, { name: "strangers", clientIds: ["another-app"] });
    await using bench = await openBench({}, [strangers, settingsFor(other)]);
    await using later = await openBench({}, [settingsFor(provider)]);
    const idToken = await provider.authorize("alice", "n");
    later.passTime(631_000);

    expect(await reasonOf(logInWith(bench, idToken, "n", "strangers"))).to.equal(REFUSED);
    expect(await reasonOf(logInWith(bench, idToken, "n"))).to.equal(REFUSED);
    expect(await reasonOf(logInWith(later, idToken, "n"))).to.equal(REFUSED);
  });

  it("makes no account when it is refused", async () => {
    await using bench = await openBench({}, [settingsFor(provider)]);

    await reasonOf(logInWith(bench, await provider.authorize("alice", "n"), "m"));

    expect(await bench.db.collection("accounts").countDocuments()).to.equal(0);
    expect(await bench.db.collection("sessions").countDocuments()).to.equal(0);
  });

  it("works through an outage of the provider with the keys at hand, and is unavailable without", async () => {
    await using bench = await openBench({}, [settingsFor(provider)]);
    await using fresh = await openBench({}, [settingsFor(provider)]);
    const idToken = await provider.authorize("alice", "n");
    await logInWith(bench, idToken, "n");

    provider.setDown(true);

    expect(await reasonOf(logInWith(bench, idToken, "n"))).to.equal("OK");
    expect(await reasonOf(logInWith(fresh, idToken, "n"))).to.equal(UNAVAILABLE);
  });

  it("fetches no keys from where it is redirected to", async () => {
    const target = `${provider.issuer}/jwks`;
    const redirecting = createServer((_, response) => response.writeHead(302, { location: target }).end()).listen(0, "127.0.0.1");
    await once(redirecting, "listening");
    const jwksUri = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/`;
    await using bench = await openBench({}, [settingsFor(provider, { jwksUri })]);

    const reason = await reasonOf(logInWith(bench, await provider.authorize("alice", "n"), "n"));

    redirecting.close();
    redirecting.closeAllConnections();
    expect([reason, provider.keyFetches()]).to.deep.equal([UNAVAILABLE, 0]);
  });
});
