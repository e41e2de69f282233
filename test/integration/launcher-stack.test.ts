import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "chai";
import type { StackSetup } from "../../bin/launcher/bring-up.ts";
import { runStack } from "../../bin/launcher/stack.ts";

/** Plays any role: tells the stage what happens to it, is ready at once, and ends on SIGTERM or when its launcher is gone. */
const PLAYER = `
  const [role, port] = process.argv.slice(1);
  const stage = require("node:net").connect(Number(port), "127.0.0.1");
  const tell = (what, then) => stage.write(what + " " + role + "\\n", then);
  process.on("SIGTERM", () => tell("stopped", () => process.exit(0)));
  process.stdin.on("end", () => process.exit(1)).resume();
  tell("started", () => console.log("ready " + role + " address-of-" + role));
`;

const DYING = `console.error("no such key"); process.exit(3);`;

describe("the stack", () => {
  it("starts the services before the gateway and stops the gateway before the services", async () => {
    await using stage = await Stage.set();

    const running = stage.run();
    await stage.until(() => stage.lines.includes("ready address-of-gateway"));
    stage.stop.abort();
    const code = await running;
    await stage.until(() => stage.story.length === 6);

    const [first, second, ...rest] = stage.story;
    expect(code).to.equal(0);
    expect([first, second]).to.have.members(["started account", "started chat"]);
    expect(rest.slice(0, 2)).to.deep.equal(["started gateway", "stopped gateway"]);
    expect(rest.slice(2)).to.have.members(["stopped account", "stopped chat"]);
    expect(stage.warnings).to.deep.equal([]);
  });

  it("stops in order, with one message, when a part of it dies", async () => {
    await using stage = await Stage.set();
    const running = stage.run();
    await stage.until(() => stage.lines.includes("ready address-of-gateway"));

    process.kill(await stage.pidOf("account"), "SIGKILL");
    const code = await running;
    await stage.until(() => stage.story.length === 5);

    expect(code).to.equal(1);
    expect(stage.warnings).to.deep.equal(["sallyport: account ended unexpectedly (killed by SIGKILL): everything is stopped"]);
    expect(stage.story.slice(-2)).to.deep.equal(["stopped gateway", "stopped chat"]);
  });

  it("stops what is up when a part of it cannot start", async () => {
    await using stage = await Stage.set();

    const code = await stage.run({ command: (role) => stage.player(role, role === "gateway" ? DYING : PLAYER) });
    await stage.until(() => stage.story.length === 4);

    expect(code).to.equal(1);
    expect(stage.warnings).to.deep.equal(["sallyport: gateway did not start (exit code 3)"]);
    expect(stage.story.slice(-2)).to.have.members(["stopped account", "stopped chat"]);
  });

  it("restarts under supervision what dies, with one line", async () => {
    await using stage = await Stage.set();
    const running = stage.run({ supervise: true });
    await stage.until(() => stage.lines.includes("ready address-of-gateway"));

    process.kill(await stage.pidOf("chat"), "SIGKILL");
    await stage.until(() => count(stage.story, "started chat") === 2);
    stage.stop.abort();

    expect(await running).to.equal(0);
    expect(stage.warnings).to.have.length(1);
    expect(stage.warnings[0]).to.match(/^sallyport: chat ended \(killed by SIGKILL\): restart 1 in \d+ ms$/);
  });

  it("gives a start up when it is told to stop, and leaves nothing behind", async () => {
    await using stage = await Stage.set();
    const neverReady = PLAYER.replace('console.log("ready', 'void ("ready');

    const running = stage.run({ command: (role) => stage.player(role, role === "chat" ? neverReady : PLAYER) });
    await stage.until(() => stage.story.length === 2);
    stage.stop.abort();

    expect(await running).to.equal(0);
    await stage.until(() => stage.story.length === 4);
    expect(stage.lines).to.deep.equal([]);
    expect(stage.story.slice(-2)).to.have.members(["stopped account", "stopped chat"]);
  });
});

class Stage implements AsyncDisposable {
  readonly stop = new AbortController();
  /** What the players told, in order. */
  readonly story: string[] = [];
  readonly lines: string[] = [];
  readonly warnings: string[] = [];
  readonly directory: string;
  readonly server: Server;
  readonly #checks = new Set<() => void>();

  private constructor(directory: string, server: Server) {
    this.directory = directory;
    this.server = server;
    server.on("connection", (socket) => createInterface(socket.on("error", () => undefined)).on("line", this.hear(this.story)));
  }

  static async set(): Promise<Stage> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Stage(await mkdtemp(join(tmpdir(), "sallyport-stack-")), server);
  }

  run(changes: Partial<StackSetup> = {}): Promise<number> {
    const config = { dataDirectory: this.directory, keysDirectory: join(this.directory, "keys"), mongodbUri: "mongodb://127.0.0.1/none" };
    const setup: StackSetup = {
      config,
      gatewayDrainMs: 0,
      env: process.env,
      supervise: false,
      command: (role) => this.player(role, PLAYER),
      makeKeys: async () => undefined,
      print: this.hear(this.lines),
      warn: this.hear(this.warnings),
      ...changes,
    };
    return runStack(setup, this.stop.signal);
  }

  player(role: string, script: string): readonly [string, ...string[]] {
    return [process.execPath, "-e", script, role, String((this.server.address() as AddressInfo).port)];
  }

  async pidOf(role: string): Promise<number> {
    return JSON.parse(await readFile(join(this.directory, "run", `${role}.json`), "utf8")).pid;
  }

  until(met: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (met()) {
          this.#checks.delete(check);
          resolve();
        }
      };
      this.#checks.add(check);
      check();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    this.server.close();
    await rm(this.directory, { recursive: true });
  }

  hear(heard: string[]): (line: string) => void {
    return (line) => {
      heard.push(line);
      for (const check of this.#checks) {
        check();
      }
    };
  }
}

function count(lines: readonly string[], line: string): number {
  return lines.filter((each) => each === line).length;
}
