import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createClient } from "../../client/client.ts";
import { nodeSurroundings } from "../../client/node.ts";
import { memoryTokenStore } from "../../client/token-store.ts";
import { CLIENT_ID, type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import { type Answer, call } from "../support/people.ts";
import { type Stack, startStack } from "../support/stack.ts";

describe("sign-in with an OpenID Connect provider", () => {
  let provider: IdentityProvider;
  let directory: string;
  let stack: Stack;

  before(async () => {
    provider = await startIdentityProvider();
    directory = await mkdtemp(join(tmpdir(), "oidc-"));
    stack = await startStack({ env: { ACCOUNT_OIDC_PROVIDERS_FILE: await listed([{ issuer: provider.issuer }]) } });
  });

  after(async () => {
    await stack?.[Symbol.asyncDispose]();
    await provider[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  async function listed(providers: readonly object[]): Promise<string> {
    const file = join(directory, `${providers.length}.json`);
    await writeFile(file, JSON.stringify(providers.map((one) => ({ name: "corp", clientIds: [CLIENT_ID], ...one }))));
    return file;
  }

  function logIn(idToken: string, nonce: string, name = "corp"): Promise<Answer> {
    return call(stack.httpUrl, "sallyport.account.v1.AccountService/Login", { oidc: { provider: name, idToken, nonce } });
  }

  it("logs an app in, to the same account each time, also after the provider rotated its keys", async () => {
    const client = createClient({ url: stack.httpUrl, surroundings: nodeSurroundings() });
    const store = memoryTokenStore();
    const credential = async (nonce: string): Promise<{ oidc: { provider: string; idToken: string; nonce: string } }> => ({
      oidc: { provider: "corp", idToken: await provider.authorize("alice", nonce), nonce },
    });

    const first = await client.login(await credential("n-1"), store);
    await provider.rotateKeys();
    const second = await client.login(await credential("n-2"), store);

    expect([first.created, second.created]).to.deep.equal([true, false]);
    expect(second.accountId).to.equal(first.accountId);
    await using connection = client.connect(["account"], { store });
    expect((await connection.account.getAccount({})).accountId).to.equal(first.accountId);
  });

  it("refuses a wrong nonce with 401, an unknown provider with 400, and logs why without the token", async () => {
    const idToken = await provider.authorize("bob", "right");

    const wrongNonce = await logIn(idToken, "wrong");
    const unknown = await logIn(idToken, "right", "nobody");

    expect([wrongNonce.status, wrongNonce.body["code"]]).to.deep.equal([401, "unauthenticated"]);
    expect(JSON.stringify(wrongNonce.body)).to.contain("ID_TOKEN_REFUSED").and.not.contain("nonce");
    expect([unknown.status, unknown.body["code"]]).to.deep.equal([400, "invalid_argument"]);
    expect(JSON.stringify(unknown.body)).to.contain("oidc.provider");
    expect(stack.log()).to.match(/"provider":"corp","refusal":"nonce"/);
    expect(idToken.split(".").filter((part) => stack.log().includes(part))).to.deep.equal([]);
  });

  it("does not start with a wrong list of providers, and names everything that is wrong", async () => {
    const file = await listed([{ issuer: "http://id.example" }, { issuer: "https://id.example", nonce: "md5" }]);

    const start = await startStack({ env: { ACCOUNT_OIDC_PROVIDERS_FILE: file } }).catch((error: Error) => error);

    expect(start).to.be.instanceOf(Error);
    expect((start as Error).message)
      .to.contain("ACCOUNT_OIDC_PROVIDERS_FILE: [0].issuer: ")
      .and.contain("[1].nonce: ");
  });
});
