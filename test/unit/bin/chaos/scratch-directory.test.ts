import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { openScratchDirectory } from "../../../../bin/chaos/scratch-directory.ts";
import { mountSmallDisk } from "../../../../bin/chaos/small-disk.ts";

describe("the directory of a layout", () => {
  it("is gone in the end, with a disk in it on which no server has written anything yet", async () => {
    const scratch = await openScratchDirectory();
    await mkdir(join(scratch.path, "log"));
    // Undefined where no disk can be had.
    await mountSmallDisk(join(scratch.path, "mongod-0"));

    await scratch[Symbol.asyncDispose]();

    expect(existsSync(scratch.path)).to.equal(false);
  });
});
