import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");

describe("the benchmark", () => {
  it("runs a path beside its floor, and finds every message delivered once and none left", async function () {
    this.timeout(120_000);
    const words = [ENTRY, "bench", "--only=calls-1,chat-8,offline,drain", "--rounds=1", "--seconds=1"];

    const { stdout, stderr } = await promisify(execFile)(process.execPath, words);

    expect(stderr).to.equal("");
    expect(stdout).not.to.contain("WRONG");
    for (const name of ["calls-1", "chat-8", "offline", "drain"]) {
      expect(stdout).to.match(
        new RegExp(`^${name}: .*\\n  \\S+/s against \\S+/s .*\\n  ratio .*\\n  CPU \\S+ µs an operation .*load at `, "m"),
      );
    }
  });
});
