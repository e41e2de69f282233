import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { initKeys, KeyRing, rotateKeys } from "../../../platform/keys.ts";

describe("keys", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "sallyport-keys-"));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  it("makes each missing key once, also in two processes at once, readable by its owner only", async () => {
    await Promise.all([initKeys(directory), initKeys(directory)]);
    const before = await readFile(join(directory, "token.key"), "utf8");
    await initKeys(directory);

    expect((await readdir(directory)).sort()).to.deep.equal(["at-rest.key", "digest.key", "receipt.key", "token.key"]);
    expect(await readFile(join(directory, "token.key"), "utf8")).to.equal(before);
    expect((await stat(join(directory, "token.key"))).mode & 0o777).to.equal(0o600);
    expect(Buffer.from(before, "base64")).to.have.length(32);
  });

  it("keeps the old key of each kind for reading when it rotates", async () => {
    await initKeys(directory);
    const old = (await KeyRing.open(directory, "receipt")).active;

    await rotateKeys(directory);
    const ring = await KeyRing.open(directory, "receipt");

    expect(ring.active.kid).to.not.equal(old.kid);
    expect((await ring.find(old.kid))?.secret).to.deep.equal(old.secret);
  });

  it("finds a key that another process has rotated in meanwhile", async () => {
    await initKeys(directory);
    const ring = await KeyRing.open(directory, "receipt");

    await rotateKeys(directory);
    const other = (await KeyRing.open(directory, "receipt")).active;

    expect((await ring.find(other.kid))?.secret).to.deep.equal(other.secret);
  });

  it("names the file of a key that is not 32 bytes", async () => {
    await initKeys(directory);
    await writeFile(join(directory, "digest.key"), "c2hvcnQ=\n");

    const error = await KeyRing.open(directory, "digest").catch((reason: Error) => reason);

    expect(error).to.be.an("error").with.property("message", "digest.key: expected base64 of 32 bytes");
  });
});
