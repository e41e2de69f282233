import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { killIfThere } from "../../../../bin/chaos/kill-if-there.ts";

describe("killing a process", () => {
  it("is done at once, and nothing more to do when it is gone", async () => {
    const child = spawn(process.execPath, ["--eval", "setInterval(() => undefined, 1_000)"], { stdio: "ignore" });
    const pid = child.pid ?? Number.NaN;

    killIfThere(pid);
    const [, signal] = await once(child, "exit");
    killIfThere(pid);

    expect(signal).to.equal("SIGKILL");
  });
});
