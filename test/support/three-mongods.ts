import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findMongod } from "../../bin/mongod/find-mongod.ts";
import { mongodFinders } from "../../bin/mongod/finders.ts";
import { initiateSet, setUri, stateOf } from "../../bin/mongod/member-set.ts";
import { startMember } from "../../bin/mongod/start-mongod.ts";
import { lastingPorts } from "../../bin/process/lasting-ports.ts";
import type { Part } from "../../bin/process/part.ts";
import { Disposables } from "../../platform/lifecycle.ts";

/** A server of the set. It stays away when it is killed, and its data with it, until it is started again. */
class SetMember {
  readonly port: number;
  readonly #start: (spawned: (pid: number) => void) => Promise<Part>;
  #pid = 0;
  #part: Part | undefined;

  constructor(port: number, start: (spawned: (pid: number) => void) => Promise<Part>) {
    this.port = port;
    this.#start = start;
  }

  async start(): Promise<void> {
    this.#part = await this.#start((pid) => {
      this.#pid = pid;
    });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    if (this.#part !== undefined) {
      process.kill(this.#pid, "SIGKILL");
      await this.#part.ended;
      this.#part = undefined;
    }
  }
}

/** A replica set of three servers, which a test kills and starts again. */
export class ThreeMongods implements AsyncDisposable {
  readonly uri: string;
  readonly members: readonly SetMember[];
  readonly #owned: Disposables;

  private constructor(members: readonly SetMember[], owned: Disposables) {
    this.members = members;
    this.uri = setUri(members.map(({ port }) => `127.0.0.1:${port}`));
    this.#owned = owned;
  }

  static async start(): Promise<ThreeMongods> {
    const owned = new Disposables();
    const directory = await mkdtemp(join(tmpdir(), "sallyport-three-"));
    owned.defer(() => rm(directory, { recursive: true, force: true }));
    const binary = await findMongod(mongodFinders(process.env, console.error), new AbortController().signal);
    const members = (await lastingPorts(3)).map((port) => {
      const files = { dbPath: join(directory, `${port}`), logFile: join(directory, `${port}.log`) };
      return new SetMember(port, (spawned) =>
        startMember({ binary, files, port, warn: console.error, spawned }, new AbortController().signal),
      );
    });
    owned.defer(async () => {
      await Promise.all(members.map((member) => member.kill()));
    });
    await Promise.all(members.map((member) => member.start()));
    const set = new ThreeMongods(members, owned);
    await initiateSet(
      members[0]?.port ?? 0,
      members.map(({ port }) => `127.0.0.1:${port}`),
    );
    await set.primary();
    return set;
  }

  /** Resolves to the primary, once there is one. */
  async primary(): Promise<SetMember> {
    for (;;) {
      const states = await Promise.all(this.members.map(({ port }) => stateOf(port)));
      const primary = this.members[states.indexOf("primary")];
      if (primary !== undefined) {
        return primary;
      }
      await sleep(20);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }
}
