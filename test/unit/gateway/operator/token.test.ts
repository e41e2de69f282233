import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { OperatorToken, type OperatorTokenSource } from "../../../../gateway/operator/token.ts";
import { ConfigError } from "../../../../platform/env.ts";

const nothing = (): void => undefined;

describe("the operator token", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "sallyport-operator-"));
  });

  afterEach(() => rm(directory, { recursive: true }));

  const own = (): OperatorTokenSource => ({ file: join(directory, "data", "operator-token"), variable: "SALLYPORT_DATA_DIR" });
  const given = (): OperatorTokenSource => ({ file: join(directory, "token"), variable: "GATEWAY_OPERATOR_TOKEN_FILE" });

  it("is made at first start: 32 random bytes in base64url, for its owner alone, and nothing besides", async () => {
    const token = await OperatorToken.open(own(), nothing);

    const text = await readFile(own().file, "utf8");
    expect(text).to.match(/^[A-Za-z0-9_-]{43}$/);
    expect((await stat(own().file)).mode & 0o777).to.equal(0o600);
    expect(await readdir(join(directory, "data"))).to.deep.equal(["operator-token"]);
    expect(await token.matches(text)).to.equal(true);
  });

  it("stays what it is at the next start, and is one for gateways that start at once", async () => {
    await Promise.all(Array.from({ length: 20 }, () => OperatorToken.open(own(), nothing)));
    const text = await readFile(own().file, "utf8");

    const again = await OperatorToken.open(own(), nothing);

    expect(await again.matches(text)).to.equal(true);
    expect(await readFile(own().file, "utf8")).to.equal(text);
    expect(await readdir(join(directory, "data"))).to.deep.equal(["operator-token"]);
  });

  it("is the text of the file and nothing else, the white space around it aside", async () => {
    const text = "0123456789abcdef0123456789ABCDEF";
    await writeFile(given().file, `${text}\n`);
    const token = await OperatorToken.open(given(), nothing);

    const shown = [text, text.toLowerCase(), text.slice(1), `${text}0`, ` ${text}`, `${text}\n`, ""];

    expect(await Promise.all(shown.map((one) => token.matches(one)))).to.deep.equal([true, false, false, false, false, false, false]);
  });

  for (const [title, content] of [
    ["is missing", undefined],
    ["is empty", "\n"],
    ["is shorter than 32 characters", "x".repeat(31)],
    ["has a space in it", `${"x".repeat(32)} ${"y".repeat(32)}`],
  ] as const) {
    it(`refuses the start, naming the variable, when the file ${title}`, async () => {
      if (content !== undefined) {
        await writeFile(given().file, content);
      }

      const error = await OperatorToken.open(given(), nothing).catch((thrown: unknown) => thrown);

      expect(error).to.be.instanceOf(ConfigError);
      expect((error as ConfigError).problems).to.have.lengthOf(1);
      expect((error as ConfigError).message).to.match(/GATEWAY_OPERATOR_TOKEN_FILE: there is no operator token/);
      expect((error as ConfigError).message).to.not.include("xxx");
    });
  }

  it("is replaced by what is written to the file, without a restart", async () => {
    const [old, fresh] = ["o".repeat(40), "f".repeat(40)];
    await writeFile(given().file, old);
    const token = await OperatorToken.open(given(), nothing);

    await writeFile(given().file, fresh);

    await until(async () => await token.matches(fresh));
    expect(await token.matches(old)).to.equal(false);
  });

  it("goes on while its file is unreadable, and says so", async () => {
    const text = "t".repeat(40);
    await writeFile(given().file, text);
    let told = 0;
    const token = await OperatorToken.open(given(), () => {
      told += 1;
    });

    await rm(given().file);

    await until(async () => (await token.matches(text)) && told > 0);
    expect(await token.matches(text)).to.equal(true);
  });
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise(setImmediate);
  }
}
