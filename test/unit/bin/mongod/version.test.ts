import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { findOnPath } from "../../../../bin/mongod/path.ts";
import { checkMongod, parseVersion } from "../../../../bin/mongod/version.ts";

const never = new AbortController().signal;

describe("a server's version", () => {
  it("is read from what it prints", () => {
    expect(parseVersion('db version v6.0.5\nBuild Info: {\n    "version": "6.0.5"\n}')).to.equal("6.0.5");
    expect(parseVersion("mongod, at your service")).to.equal(undefined);
  });

  it("is accepted from 6.0 on", () =>
    withProgram("echo 'db version v10.1.0'", async (file, directory) => {
      await checkMongod(file, never);

      expect(await findOnPath(`/nowhere:${directory}`, never)).to.equal(file);
    }));

  it("is refused before 6.0", () =>
    withProgram("echo 'db version v5.0.30'", async (file) => {
      expect(await complaint(checkMongod(file, never))).to.contain("is version 5.0.30");
    }));

  it("is not got from a program that cannot run here, whose complaint is passed on", () =>
    withProgram("echo 'libcrypto.so.1.1: cannot open shared object file' >&2; exit 127", async (file) => {
      expect(await complaint(checkMongod(file, never))).to.contain("libcrypto.so.1.1: cannot open");
    }));

  it("is not got from a program that does not exist", async () => {
    expect(await complaint(checkMongod("/nowhere/mongod", never))).to.equal("/nowhere/mongod: not installed");
  });
});

async function withProgram(script: string, test: (file: string, directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-version-"));
  const file = join(directory, "mongod");
  try {
    await writeFile(file, `#!/bin/sh\n${script}\n`);
    await chmod(file, 0o755);
    await test(file, directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function complaint(promise: Promise<void>): Promise<string> {
  return promise.then(
    () => "no complaint",
    (error: Error) => error.message,
  );
}
