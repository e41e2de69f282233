import { stat } from "node:fs/promises";
import { expect } from "chai";
import { openSocketDirectory, socketsFit } from "../../../../bin/launcher/socket-directory.ts";
import { Disposables } from "../../../../platform/lifecycle.ts";

describe("the directory of the unix sockets", () => {
  it("is the preferred one while the paths in it fit a socket address", async () => {
    await using owner = new Disposables();

    expect(await openSocketDirectory("/data/run", owner)).to.equal("/data/run");
  });

  it("counts bytes, not characters", () => {
    expect(socketsFit(`/${"a".repeat(88)}`)).to.equal(true);
    expect(socketsFit(`/${"é".repeat(45)}`)).to.equal(false);
  });

  it("is else a private one, which goes with its owner", async () => {
    const owner = new Disposables();

    const directory = await openSocketDirectory(`/${"a".repeat(120)}`, owner);
    const { mode } = await stat(directory);
    await owner[Symbol.asyncDispose]();

    expect(socketsFit(directory)).to.equal(true);
    expect(mode & 0o777).to.equal(0o700);
    expect(await stat(directory).catch(() => "gone")).to.equal("gone");
  });
});
