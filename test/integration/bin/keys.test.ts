import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { runCommand } from "../../../bin/run-command.ts";
import { type KeyFolder, keyFolder } from "../../unit/platform/keys/folder.ts";

/** What a command printed, and its exit code. */
interface Outcome {
  readonly code: number;
  readonly lines: readonly string[];
}

describe("the keys commands", () => {
  it("make the keys that are missing", async () => {
    await using folder = await keyFolder();
    const path = join(folder.path, "deeper", "keys");

    const { code } = await run({ path }, "init");

    expect(code).to.equal(0);
    expect((await readdir(path)).sort()).to.deep.equal(["at-rest.key", "digest.key", "receipt.key", "token.key"]);
  });

  it("publish and activate a key of each kind, by one command or by two", async () => {
    await using folder = await keyFolder();

    const both = await run(folder, "rotate", "--wait-ms=1");
    const published = await run(folder, "rotate", "--publish", "--kind=token");
    const activated = await run(folder, "rotate", "--activate", "--kind", "token");

    const { kid } = await folder.active("token");
    expect(both.lines.map((line) => line.replace(/ [0-9a-f]{16} /, " "))).to.deep.equal([
      ...["token published", "receipt published", "at-rest published", "digest published"],
      ...["token active", "receipt active", "at-rest active", "digest active"],
    ]);
    expect([published, activated]).to.deep.equal([
      { code: 0, lines: [`token ${kid} published`] },
      { code: 0, lines: [`token ${kid} active`] },
    ]);
  });

  it("list every key with its state, and no secret", async () => {
    await using folder = await keyFolder();
    const [old] = await folder.kids("at-rest");
    await run(folder, "rotate", "--wait-ms=0");
    await run(folder, "rotate", "--publish", "--kind=token");

    const { code, lines } = await run(folder, "list");

    const rows = lines.map((line) => line.split(/ {2,}/));
    const secrets = await Promise.all((await readdir(folder.path)).map(async (name) => (await readFile(folder.file(name), "utf8")).trim()));
    expect(code).to.equal(0);
    expect(rows[0]).to.deep.equal(["kind", "kid", "state", "since", "kept until"]);
    expect(rows.slice(1).map(([kind, , state]) => `${kind} ${state}`)).to.deep.equal([
      ...["token active", "token published", "token retired", "receipt active", "receipt retired"],
      ...["at-rest active", "at-rest retired", "digest active", "digest retired"],
    ]);
    expect(lines.find((line) => line.includes(old ?? ""))).to.match(/ {2}\d{4}-\S+Z, longer while reports need it$/);
    expect(secrets.filter((secret) => lines.join("\n").includes(secret))).to.deep.equal([]);
  });

  for (const { words, says } of [
    { words: ["rotate", "--kind=tokens"], says: /--kind takes token, receipt, at-rest, digest/ },
    { words: ["rotate", "--publish", "--activate"], says: /--publish or --activate/ },
    { words: ["rotate", "--wait-ms=soon"], says: /--wait-ms takes a number of milliseconds/ },
    { words: ["rotate", "--activate"], says: /no key is published/ },
  ]) {
    it(`change nothing when they read "keys ${words.join(" ")}"`, async () => {
      await using folder = await keyFolder();
      const before = await readdir(folder.path);

      const { code, lines } = await run(folder, ...words);

      expect(code).to.be.greaterThan(0);
      expect(lines[0]).to.match(says);
      expect(await readdir(folder.path)).to.deep.equal(before);
    });
  }
});

async function run({ path }: Pick<KeyFolder, "path">, ...words: readonly string[]): Promise<Outcome> {
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const code = await runCommand(["keys", ...words], { env: { SALLYPORT_KEYS_DIR: path }, entry: "", print: say, warn: say });
  return { code, lines };
}
