import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ConfigError } from "../../../../platform/env.ts";
import { type OwnFile, openConfiguredRing } from "../../../../platform/keys/configured-ring.ts";
import { initKeys } from "../../../../platform/keys/rotation.ts";

async function problemsOf(directory: string, own?: OwnFile): Promise<readonly string[]> {
  try {
    await openConfiguredRing(directory, "at-rest", own);
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [String(error)];
  }
}

describe("the keys that a configuration names", () => {
  it("are refused by the name of their variable when they are missing or malformed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-keys-"));
    const short = join(folder, "short.key");
    await writeFile(short, "AAAA");
    const own = (file: string): OwnFile => ({ file, variable: "CHAT_AT_REST_KEY_FILE" });

    const empty = await problemsOf(join(folder, "nowhere"));
    await initKeys(folder);

    const nowhere = join(folder, "nowhere");
    expect(empty).to.deep.equal([
      `SALLYPORT_KEYS_DIR: there is no at-rest key at ${nowhere} (npx sallyport keys init makes the keys that are missing)`,
    ]);
    expect(await problemsOf(folder)).to.deep.equal([]);
    expect((await problemsOf(folder, own(join(folder, "gone"))))[0]).to.match(/^CHAT_AT_REST_KEY_FILE: there is no at-rest key/);
    expect(await problemsOf(folder, own(short))).to.deep.equal(["CHAT_AT_REST_KEY_FILE: short.key: expected base64 of 32 bytes"]);

    const good = join(folder, "good.key");
    await copyFile(join(folder, "at-rest.key"), good);
    await writeFile(join(folder, "at-rest-older.key"), "AAAA");
    expect(await problemsOf(folder, own(good))).to.deep.equal(["SALLYPORT_KEYS_DIR: at-rest-older.key: expected base64 of 32 bytes"]);
    await rm(folder, { recursive: true });
  });
});
