import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { LockHeldError, lockNumbers, takeLock } from "../../../../bin/launcher/lock.ts";
import type { ProcessIdentity } from "../../../../bin/process/identity.ts";

const first: ProcessIdentity = { pid: 101, startedAt: "one" };
const second: ProcessIdentity = { pid: 102, startedAt: "two" };

describe("the lock of a data directory", () => {
  it("is refused, with the holder's process id, while the holder lives", () =>
    inDirectory(async (directory) => {
      await takeLock(directory, first, async () => true);

      const refused = await failure(takeLock(directory, second, async () => true));

      expect(refused).to.be.instanceOf(LockHeldError);
      expect(String(refused)).to.contain(directory).and.to.contain("process 101");
    }));

  it("passes to the next once the holder is gone, however it went", () =>
    inDirectory(async (directory) => {
      await takeLock(directory, first, async () => true);
      await takeLock(directory, second, async () => false);

      const refused = await failure(takeLock(directory, first, async (holder) => holder.pid === 102));

      expect(String(refused)).to.contain("process 102");
      expect(await readdir(join(directory, "lock"))).to.deep.equal(["2"]);
    }));

  it("is not held by a file that a crash of the machine left torn", () =>
    inDirectory(async (directory) => {
      await takeLock(directory, first, async () => true);
      await writeFile(join(directory, "lock", "1"), "");

      await takeLock(directory, second, async () => true);

      expect(await readdir(join(directory, "lock"))).to.deep.equal(["2"]);
    }));

  it("goes to exactly one of many that take it at once from a dead holder", () =>
    inDirectory(async (directory) => {
      await takeLock(directory, first, async () => true);
      const rivals = Array.from({ length: 20 }, (_, index) => ({ pid: 200 + index, startedAt: "now" }));

      const outcomes = await Promise.allSettled(rivals.map((rival) => takeLock(directory, rival, async ({ pid }) => pid !== first.pid)));

      expect(outcomes.filter(({ status }) => status === "fulfilled")).to.have.length(1);
      expect(await readdir(join(directory, "lock"))).to.deep.equal(["2"]);
    }));

  it("counts its files as numbers", () => {
    expect(lockNumbers(["10", "draft-x", "9", "01", "2"])).to.deep.equal([2, 9, 10]);
  });
});

async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-lock-"));
  try {
    await test(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
