import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { fileTokenStore } from "../../../client/file-token-store.ts";
import { startHarness } from "./harness.ts";
import { accessToken, refreshToken } from "./tokens.ts";

const HOLDER = fileURLToPath(new URL("lock-holder.ts", import.meta.url));

/** A process that holds the lock of a directory until its standard input ends; resolves once it has it. */
async function holdInOtherProcess(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["--import", "tsx", HOLDER, directory], { stdio: ["pipe", "pipe", "inherit"] });
  await once(createInterface({ input: child.stdout }), "line");
  return child;
}

async function withDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-client-"));
  try {
    await test(join(directory, "session"));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

describe("the token store in files", () => {
  it("holds nothing at first", () =>
    withDirectory(async (directory) => {
      expect(await fileTokenStore(directory).load("chat")).to.equal(undefined);
    }));

  it("keeps the newest token of each service for the next process, readable by its owner only", () =>
    withDirectory(async (directory) => {
      const store = fileTokenStore(directory);
      await store.save("chat", refreshToken(1));
      await store.save("account", refreshToken(2));
      await store.save("chat", refreshToken(3));

      const later = fileTokenStore(directory);

      expect([await later.load("account"), await later.load("chat")]).to.deep.equal([refreshToken(2), refreshToken(3)]);
      expect((await stat(join(directory, "chat.refresh-token"))).mode & 0o777).to.equal(0o600);
      expect((await stat(directory)).mode & 0o777).to.equal(0o700);
      expect((await readdir(directory)).sort()).to.deep.equal(["account.refresh-token", "chat.refresh-token"]);
    }));

  it("is not disturbed by what a crash left of an earlier save", () =>
    withDirectory(async (directory) => {
      const store = fileTokenStore(directory);
      await store.save("chat", refreshToken(1));
      await writeFile(join(directory, "chat.refresh-token.new"), "half a tok");

      expect(await store.load("chat")).to.deep.equal(refreshToken(1));
      await store.save("chat", refreshToken(2));
      expect(await store.load("chat")).to.deep.equal(refreshToken(2));
    }));

  it("lets many handles take turns, one at a time", () =>
    withDirectory(async (directory) => {
      let inside = 0;
      let most = 0;
      let turns = 0;

      await Promise.all(
        Array.from({ length: 8 }, async () => {
          const store = fileTokenStore(directory);
          for (let turn = 0; turn < 3; turn += 1) {
            await store.exclusive(async () => {
              inside += 1;
              most = Math.max(most, inside);
              await store.save("chat", refreshToken(turn));
              inside -= 1;
              turns += 1;
            });
          }
        }),
      );

      expect([most, turns]).to.deep.equal([1, 24]);
      expect((await readdir(directory)).filter((name) => name.startsWith("lock."))).to.have.length(1);
    }));

  it("gives the turn back when the work fails, and hands its error on", () =>
    withDirectory(async (directory) => {
      const store = fileTokenStore(directory);

      const failure = await store.exclusive(() => Promise.reject(new Error("cut"))).catch((error: Error) => error.message);

      expect(failure).to.equal("cut");
      expect(await store.exclusive(async () => "next")).to.equal("next");
    }));

  it("makes a process wait while another has the turn", () =>
    withDirectory(async (directory) => {
      const store = fileTokenStore(directory);
      await store.save("chat", refreshToken(1));
      const holder = await holdInOtherProcess(directory);
      const ended = once(holder, "exit");

      const meanwhile = await store.exclusive(async () => "mine", AbortSignal.timeout(150)).catch((error: Error) => error.name);
      const turn = store.exclusive(async () => "mine");
      holder.stdin?.end();

      expect(meanwhile).to.be.oneOf(["AbortError", "TimeoutError"]);
      expect(await turn).to.equal("mine");
      await ended;
    }));

  it("lets two connections exchange one after the other, the second with what the first was given", () =>
    withDirectory(async (directory) => {
      await fileTokenStore(directory).save("chat", refreshToken(1));
      await using first = await startHarness({ store: fileTokenStore(directory) });
      const socket = await first.server.socket();
      await using second = await startHarness({ store: fileTokenStore(directory), server: first.server });
      expect(await socket.next()).to.deep.equal(refreshToken(1));

      socket.send(refreshToken(2));
      socket.send(accessToken(2));
      expect((await socket.nextFrame()).$case).to.equal("keepAlive");
      const later = await first.server.socket();
      expect(await later.next()).to.deep.equal(refreshToken(2));
      later.send(refreshToken(3));
      later.send(accessToken(3));
      await second.connection.ready();

      expect(await fileTokenStore(directory).load("chat")).to.deep.equal(refreshToken(3));
    }));

  it("takes over the turn of a process that was killed", () =>
    withDirectory(async (directory) => {
      const store = fileTokenStore(directory);
      await store.save("chat", refreshToken(1));
      const holder = await holdInOtherProcess(directory);
      const ended = once(holder, "exit");

      holder.kill("SIGKILL");
      await ended;

      expect(await store.exclusive(async () => "mine")).to.equal("mine");
    }));

  it("does not take over the turn of a process that is paused", () =>
    withDirectory(async (directory) => {
      const store = fileTokenStore(directory);
      await store.save("chat", refreshToken(1));
      const holder = await holdInOtherProcess(directory);
      const ended = once(holder, "exit");
      holder.kill("SIGSTOP");

      const outcome = await store.exclusive(async () => "mine", AbortSignal.timeout(200)).catch((error: Error) => error.name);

      expect(outcome).to.be.oneOf(["AbortError", "TimeoutError"]);
      holder.kill("SIGKILL");
      await ended;
    }));

  it("takes over a lock whose process id has gone to another process", () =>
    withDirectory(async (directory) => {
      const store = fileTokenStore(directory);
      await store.save("chat", refreshToken(1));
      await writeFile(join(directory, "lock.7"), `${process.pid} 1 some-other-boot`);

      expect(await store.exclusive(async () => "mine")).to.equal("mine");
      expect((await readdir(directory)).filter((name) => name.startsWith("lock."))).to.deep.equal(["lock.8"]);
    }));
});
