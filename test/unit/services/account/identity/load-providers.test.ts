import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ConfigError } from "../../../../../platform/env.ts";
import { type IdentityConfig, loadProviders } from "../../../../../services/account/identity/load-providers.ts";

const NONE: IdentityConfig = { googleClientIds: [], appleClientIds: [], providersFile: undefined };
const LEAST = { name: "corp", issuer: "https://id.corp.example", clientIds: ["app"] };

describe("the identity providers that are configured", () => {
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "providers-"));
  });

  after(() => rm(directory, { recursive: true }));

  async function fileWith(content: unknown): Promise<string> {
    const file = join(directory, `${Math.random()}.json`);
    await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
    return file;
  }

  async function problemsOf(content: unknown, config: Partial<IdentityConfig> = {}): Promise<readonly string[]> {
    const error = await loadProviders({ ...NONE, providersFile: await fileWith(content), ...config }).catch((thrown: unknown) => thrown);
    return error instanceof ConfigError ? error.problems : [`no ConfigError: ${JSON.stringify(error)}`];
  }

  it("are none unless something says so", async () => {
    expect(await loadProviders(NONE)).to.deep.equal([]);
  });

  it("are Google and Apple when our apps' ids there are given", async () => {
    const [google, apple, ...others] = await loadProviders({ ...NONE, googleClientIds: ["web", "ios"], appleClientIds: ["com.example"] });

    expect(others).to.deep.equal([]);
    expect(google).to.deep.equal({
      name: "google",
      issuer: "https://accounts.google.com",
      otherIssuers: ["accounts.google.com"],
      clientIds: ["web", "ios"],
      jwksUri: "https://www.googleapis.com/oauth2/v3/certs",
      algorithms: ["RS256"],
      nonce: "plain",
    });
    expect(apple).to.deep.include({ name: "apple", issuer: "https://appleid.apple.com", clientIds: ["com.example"], nonce: "sha256" });
  });

  it("are those of the file, with RS256, a plain nonce and discovery unless it says otherwise", async () => {
    const full = {
      ...LEAST,
      name: "full",
      issuer: "http://127.0.0.1:4000/a",
      jwksUri: "http://[::1]:4000/k",
      algorithms: ["ES256"],
      nonce: "sha256",
    };

    const providers = await loadProviders({ ...NONE, providersFile: await fileWith([LEAST, full]) });

    expect(providers).to.deep.equal([
      { ...LEAST, otherIssuers: [], jwksUri: undefined, algorithms: ["RS256"], nonce: "plain" },
      { ...full, otherIssuers: [] },
    ]);
  });

  it("are refused with everything that is wrong with them, each by its place", async () => {
    const problems = await problemsOf([
      { ...LEAST, name: "Corp!", issuer: "http://id.corp.example" },
      {
        name: "second",
        issuer: "https://id.example?x",
        clientIds: [],
        jwksUri: "keys",
        algorithms: ["HS256"],
        nonce: "md5",
        clientId: "app",
      },
      { ...LEAST, algorithms: ["none"], clientIds: [""] },
      "third",
      null,
    ]);

    expect(problems.map((problem) => problem.replace(/: expected .*/, ""))).to.deep.equal(
      [
        "[0].name",
        "[0].issuer",
        "[1].issuer",
        "[1].clientIds",
        "[1].jwksUri",
        "[1].algorithms",
        "[1].nonce",
        '[1]: unknown field "clientId"',
        "[2].clientIds",
        "[2].algorithms",
        "[3]",
        "[4]",
      ].map((place) => `ACCOUNT_OIDC_PROVIDERS_FILE: ${place}`),
    );
  });

  for (const field of ["name", "issuer", "clientIds"]) {
    it(`are refused without ${field}`, async () => {
      const { [field]: _, ...rest } = LEAST as Record<string, unknown>;

      expect((await problemsOf([rest]))[0]).to.match(new RegExp(`^ACCOUNT_OIDC_PROVIDERS_FILE: \\[0\\]\\.${field}: expected `));
    });
  }

  for (const issuer of [
    "ftp://id.example",
    "https://user:secret@id.example",
    "https://id.example/#x",
    "https://id example",
    "http://10.0.0.1",
    "",
  ]) {
    it(`are refused at ${JSON.stringify(issuer)}`, async () => {
      expect((await problemsOf([{ ...LEAST, issuer }]))[0]).to.contain("[0].issuer: expected an https URL");
    });
  }

  it("are refused when two have one name, or one issuer", async () => {
    const google = { ...LEAST, name: "google", issuer: "https://accounts.google.com" };

    expect(await problemsOf([LEAST, LEAST])).to.deep.equal([
      "ACCOUNT_OIDC_PROVIDERS_FILE: the name corp belongs to two providers",
      "ACCOUNT_OIDC_PROVIDERS_FILE: the issuer https://id.corp.example belongs to two providers",
    ]);
    expect(await problemsOf([google], { googleClientIds: ["web"] })).to.have.length(2);
  });

  it("are refused when the file is no list, no JSON or not there", async () => {
    const missing = await loadProviders({ ...NONE, providersFile: join(directory, "missing") }).catch((thrown: unknown) => thrown);

    expect(await problemsOf({ providers: [] })).to.deep.equal(["ACCOUNT_OIDC_PROVIDERS_FILE: expected a JSON list of providers"]);
    expect(await problemsOf("[")).to.deep.equal(["ACCOUNT_OIDC_PROVIDERS_FILE: expected a JSON list of providers"]);
    expect((missing as ConfigError).problems).to.deep.equal(["ACCOUNT_OIDC_PROVIDERS_FILE: the file cannot be read: ENOENT"]);
  });
});
