import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { cacheDirectory, cachedMongod, fetchIntoCache, findInCache } from "../../../../bin/mongod/cache.ts";

const never = new AbortController().signal;

describe("the cache of fetched servers", () => {
  it("is where the user keeps caches", () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: "/var/caches" })).to.equal("/var/caches/sallyport");
    expect(cacheDirectory({ XDG_CACHE_HOME: "relative" })).to.equal(join(homedir(), ".cache", "sallyport"));
    expect(cacheDirectory({})).to.equal(join(homedir(), ".cache", "sallyport"));
  });

  it("has what was fetched and found to run, and nothing else", () =>
    inCache(async (cache) => {
      await fetchIntoCache(cache, (folder) => program(folder, "echo 'db version v6.0.5'"), never);

      expect(await findInCache(cache, never)).to.equal(cachedMongod(cache));
      expect(await readdir(cache)).to.have.length(1);
    }));

  it("takes in nothing that does not run", () =>
    inCache(async (cache) => {
      const fetched = await fetchIntoCache(cache, (folder) => program(folder, "exit 1"), never).catch(() => "refused");

      expect(fetched).to.equal("refused");
      expect(await readdir(cache)).to.deep.equal([]);
    }));

  it("bears two fetches at once", () =>
    inCache(async (cache) => {
      const fetch = (): Promise<string> => fetchIntoCache(cache, (folder) => program(folder, "echo 'db version v6.0.5'"), never);

      expect(await Promise.all([fetch(), fetch()])).to.deep.equal([cachedMongod(cache), cachedMongod(cache)]);
    }));
});

async function inCache(test: (cache: string) => Promise<void>): Promise<void> {
  const cache = await mkdtemp(join(tmpdir(), "sallyport-cache-"));
  try {
    await test(cache);
  } finally {
    await rm(cache, { recursive: true });
  }
}

async function program(folder: string, script: string): Promise<string> {
  const file = join(folder, "mongod");
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  return file;
}
