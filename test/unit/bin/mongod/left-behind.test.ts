import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { mongodArguments } from "../../../../bin/mongod/arguments.ts";
import { findLeftBehind, servesDirectory } from "../../../../bin/mongod/left-behind.ts";

describe("a server left behind", () => {
  it("is known by the directory that it serves", () => {
    const words = ["/cache/mongod", ...mongodArguments("/data/mongod", 4000)];

    expect(servesDirectory(words, "/data/mongod")).to.equal(true);
    expect(servesDirectory(words, "/data/mongo")).to.equal(false);
    expect(servesDirectory(["vim", "/data/mongod"], "/data/mongod")).to.equal(false);
  });

  it("is not taken to be another process that got its id", async () => {
    const dbPath = await mkdtemp(join(tmpdir(), "sallyport-left-"));
    await writeFile(join(dbPath, "mongod.lock"), `${process.pid}\n`);

    const left = await findLeftBehind(dbPath);

    expect(left).to.equal(undefined);
    await rm(dbPath, { recursive: true });
  });
});
