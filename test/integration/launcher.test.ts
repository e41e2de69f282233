import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { MongoClient } from "mongodb";
import { identify } from "../../bin/process/identity.ts";
import { databasePid, databaseUri, LauncherProcess, rolePid } from "./launcher-process.ts";

describe("the launcher", () => {
  it("stops everything on SIGINT to its process group, the database last and cleanly, whatever signals follow", () =>
    inDirectory(async (directory) => {
      const launcher = LauncherProcess.start(directory);
      await launcher.ready();

      launcher.signalGroup("SIGINT");
      launcher.signalGroup("SIGINT");
      launcher.signalGroup("SIGTERM");

      expect(await launcher.exited).to.equal(0);
      expect(await databasePid(directory)).to.equal(0);
      expect(await connectionsAtShutdown(directory)).to.equal(0);
    }));

  it("stops everything in order when the process is gone that it must not outlive", () =>
    inDirectory(async (directory) => {
      const launcher = LauncherProcess.start(directory, { SALLYPORT_PARENT: "pipe" });
      await launcher.ready();

      launcher.process.stdin?.destroy();

      expect(await launcher.exited).to.equal(0);
      expect(await databasePid(directory)).to.equal(0);
    }));

  it("refuses a second start on its data directory while it lives", () =>
    inDirectory(async (directory) => {
      await using first = LauncherProcess.start(directory);
      await first.ready();

      const second = LauncherProcess.start(directory);

      expect(await second.exited).to.equal(1);
      await second.line(new RegExp(`in use by another start, process ${first.process.pid}$`));
    }));

  it("starts once when two are started at once", () =>
    inDirectory(async (directory) => {
      await using one = LauncherProcess.start(directory);
      await using other = LauncherProcess.start(directory);

      const outcomes = await Promise.allSettled([one.ready(), other.ready()]);

      expect(outcomes.map(({ status }) => status)).to.have.members(["fulfilled", "rejected"]);
    }));

  it("takes over the database of a launcher that was killed, whose other children end by themselves", () =>
    inDirectory(async (directory) => {
      const killed = LauncherProcess.start(directory);
      await killed.ready();
      const left = await databasePid(directory);

      killed.process.kill("SIGKILL");
      await killed.closed;

      expect(await identify(left)).not.to.equal(undefined);
      const next = LauncherProcess.start(directory);
      await next.ready();
      expect(await identify(left)).to.equal(undefined);
      next.process.kill("SIGTERM");
      expect(await next.exited).to.equal(0);
      expect(await databasePid(directory)).to.equal(0);
    }));

  it("ends what a killed launcher left behind paused", () =>
    inDirectory(async (directory) => {
      const killed = LauncherProcess.start(directory);
      await killed.ready();
      const left = [await databasePid(directory), await rolePid(directory, "gateway"), await rolePid(directory, "chat")];
      for (const pid of left) {
        process.kill(pid, "SIGSTOP");
      }
      killed.process.kill("SIGKILL");
      await killed.exited;

      await using next = LauncherProcess.start(directory);
      await next.ready();

      expect(await Promise.all(left.map((pid) => identify(pid)))).to.deep.equal([undefined, undefined, undefined]);
    }));

  it("ends with a message and a non-zero code when the database dies", () =>
    inDirectory(async (directory) => {
      const launcher = LauncherProcess.start(directory);
      await launcher.ready();

      process.kill(await databasePid(directory), "SIGKILL");

      expect(await launcher.exited).to.equal(1);
      await launcher.line(/^sallyport: the database ended unexpectedly \(killed by SIGKILL\): everything is stopped$/);
    }));

  it("brings a dead database back under supervision, at the same address", () =>
    inDirectory(async (directory) => {
      await using launcher = LauncherProcess.start(directory, {}, ["--supervise"]);
      await launcher.ready();
      const uri = await databaseUri(directory);

      process.kill(await databasePid(directory), "SIGKILL");
      await launcher.line(/^sallyport: the database ended \(killed by SIGKILL\): restart 1 in \d+ ms$/);

      await using client = await MongoClient.connect(uri);
      expect((await client.db("admin").command({ ping: 1 }))["ok"]).to.equal(1);
    }));

  it("moves the database when its port is taken meanwhile, with what is in it", () =>
    inDirectory(async (directory) => {
      await startAndStop(directory, async (uri) => {
        await using client = await MongoClient.connect(uri);
        await client.db("kept").collection<{ _id: string }>("things").insertOne({ _id: "one" });
      });
      const port = Number(await readFile(join(directory, "mongod-port"), "utf8"));
      await using _squatter = createServer().listen(port, "127.0.0.1");

      const things = await startAndStop(directory, async (uri) => {
        await using client = await MongoClient.connect(uri);
        return await client.db("kept").collection("things").countDocuments();
      });

      expect(things).to.equal(1);
    }));

  it("starts in a directory whose path is too long for a socket address", () =>
    inDirectory(async (directory) => {
      await using launcher = LauncherProcess.start(join(directory, "a".repeat(100)));

      await launcher.ready();
    }));

  it("names the files of both kinds of TLS that are of no use, before anything is started", () =>
    inDirectory(async (directory) => {
      const data = join(directory, "data");
      const names = [
        "GATEWAY_TLS_CERT_FILE",
        "GATEWAY_TLS_KEY_FILE",
        "INTERNAL_TLS_CA_FILE",
        "INTERNAL_TLS_CERT_FILE",
        "INTERNAL_TLS_KEY_FILE",
      ];
      const launcher = LauncherProcess.start(data, Object.fromEntries(names.map((name) => [name, join(directory, "nothing.pem")])));

      expect(await launcher.exited).to.equal(2);
      await launcher.closed;

      for (const name of names) {
        expect(
          launcher.lines.filter((line) => line.includes(`${name}:`)),
          name,
        ).to.have.length(1);
      }
      expect(launcher.lines.filter((line) => line.startsWith("sallyport: "))).to.deep.equal(["sallyport: wrong configuration:"]);
      expect(existsSync(data)).to.equal(false);
    }));

  it("names every wrong variable of all roles before anything is started", () =>
    inDirectory(async (directory) => {
      const data = join(directory, "data");
      const wrong = {
        GATEWAY_PORT: "http",
        CHAT_LINGER_MS: "soon",
        ACCOUNT_REUSE_GRACE_MS: "-1",
        SALLYPORT_DEBUG: "yes",
        MONGODB_URI: "db",
      };
      const launcher = LauncherProcess.start(data, wrong);

      expect(await launcher.exited).to.equal(2);
      await launcher.closed;

      for (const name of Object.keys(wrong)) {
        expect(launcher.lines.filter((line) => line.includes(`${name}:`))).to.have.length(1);
      }
      expect(existsSync(data)).to.equal(false);
    }));
});

async function inDirectory(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-launcher-"));
  try {
    await test(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function startAndStop<T>(directory: string, use: (uri: string) => Promise<T>): Promise<T> {
  await using launcher = LauncherProcess.start(directory);
  await launcher.ready();
  return await use(await databaseUri(directory));
}

/** How many clients the database still had when it was told to stop, by its own log. */
async function connectionsAtShutdown(directory: string): Promise<number> {
  const log = await readFile(join(directory, "log", "mongod.log"), "utf8");
  const before = log.slice(0, log.indexOf('"Received signal"'));
  return Number([...before.matchAll(/"connectionCount":(\d+)/g)].at(-1)?.[1]);
}
