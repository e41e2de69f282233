import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { injectByProgram } from "../../../../bin/chaos/injecting-program.ts";
import { runSchedule } from "../../../../bin/chaos/run-schedule.ts";

describe("an operator's program that does faults", () => {
  it("is called with the fault, whom it hits and for how long, and to end it", async () => {
    await using program = await writeProgram(`echo "$@" >> "$0.log"`);
    const inject = injectByProgram(program.file);

    const pause = await inject({ fault: { kind: "pause", durationMs: 12_000 }, target: { kind: "gateway", index: 0 } });
    const kill = await inject({ fault: { kind: "kill" }, target: { kind: "primary" } });
    for (const injection of [pause, kill]) {
      await ("heal" in injection ? injection.heal() : Promise.reject(new Error(injection.skipped)));
    }

    expect(await program.log()).to.equal("pause gateway 0 12000\nkill primary\nresume gateway 0 pause\n");
  });

  it("refuses a fault by its exit code, with the first line of what it says of it", async () => {
    await using program = await writeProgram("echo 'no such machine' >&2; exit 3");

    const injection = await injectByProgram(program.file)({ fault: { kind: "kill" }, target: { kind: "chat", index: 1 } });

    expect(injection).to.deep.equal({ skipped: "the program refused it (no such machine)" });
  });

  it("may have begun a fault that it is not done with in time, which is ended then", async () => {
    await using program = await writeProgram(`echo "$@" >> "$0.log"; test "$1" = resume || exec sleep 3600`);
    const scheduled = { atMs: 0, fault: { kind: "pause", durationMs: 12_000 }, target: { kind: "gateway", index: 0 } } as const;

    const run = { inject: injectByProgram(program.file, 2_000), report: () => undefined, stop: new AbortController().signal };
    const [past] = await runSchedule([scheduled], run);

    expect(past?.outcome).to.deep.equal({ skipped: "the program was not done within 2000 ms" });
    expect(await program.log()).to.equal("pause gateway 0 12000\nresume gateway 0 pause\n");
  });
});

async function writeProgram(text: string): Promise<AsyncDisposable & { file: string; log: () => Promise<string> }> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-test-"));
  const file = join(directory, "strike");
  await writeFile(file, `#!/bin/sh\n${text}\n`, { mode: 0o700 });
  return {
    file,
    log: () => readFile(`${file}.log`, "utf8"),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
