import { join } from "node:path";
import { Disposables } from "../../platform/lifecycle.ts";
import { initiateSet, type MemberState, type SetSettings, stateOf } from "../mongod/member-set.ts";
import { startMember } from "../mongod/start-mongod.ts";
import { type KeptProcess, keepProcess } from "./kept-process.ts";
import { killIfThere } from "./kill-if-there.ts";
import type { Member } from "./member.ts";
import type { Place } from "./place.ts";
import { settleAll } from "./settle-all.ts";
import { mountSmallDisk, type SmallDisk } from "./small-disk.ts";
import { untilSo } from "./until-so.ts";

/** What a replica set is started with: a place for each server, and the directory of their data. */
export interface ReplicaSetSetup {
  readonly binary: string;
  readonly directory: string;
  readonly places: readonly Place[];
  /** Whether each server's data is on a disk of its own, where that can be had. */
  readonly ownDisks: boolean;
  /** Undefined: it misses its primary after 2 s. */
  readonly settings: SetSettings | undefined;
  readonly warn: (line: string) => void;
}

/** A server of a replica set. */
export interface DatabaseMember extends Member {
  /** The server's own, behind the proxy. */
  readonly port: number;
  readonly state: () => Promise<MemberState>;
  /** The disk of its data, when that is its own. */
  readonly disk: SmallDisk | undefined;
}

/** Several MongoDB servers on loopback that know each other by their proxies. What is killed comes back on its data. */
export class ReplicaSet implements AsyncDisposable {
  readonly members: readonly DatabaseMember[];
  readonly #owned: Disposables;

  private constructor(members: readonly DatabaseMember[], owned: Disposables) {
    this.members = members;
    this.#owned = owned;
  }

  /** Starts the servers and resolves when one of them is primary and all others follow it. */
  static async start(setup: ReplicaSetSetup, stop: AbortSignal): Promise<ReplicaSet> {
    const owned = new Disposables();
    try {
      const members = await settleAll(setup.places.map((place) => startDatabaseMember(setup, place, owned, stop)));
      await initiateSet(
        members[0]?.port ?? 0,
        members.map(({ proxy }) => proxy.address),
        setup.settings,
      );
      const set = new ReplicaSet(members, owned);
      await set.whole(stop);
      return set;
    } catch (error) {
      await owned[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Who is primary now; undefined when nobody is. */
  async primary(): Promise<DatabaseMember | undefined> {
    const states = await this.#states();
    return this.members.find((_, index) => states[index] === "primary");
  }

  /** Whether one is primary and all others follow it. */
  async isWhole(): Promise<boolean> {
    const states = await this.#states();
    return states.includes("primary") && !states.includes("other");
  }

  /** Resolves when one is primary and all others follow it. */
  async whole(stop: AbortSignal): Promise<void> {
    await untilSo(() => this.isWhole(), "the replica set is not whole", stop);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }

  #states(): Promise<readonly MemberState[]> {
    return Promise.all(this.members.map((member) => member.state()));
  }
}

async function startDatabaseMember(setup: ReplicaSetSetup, place: Place, owned: Disposables, stop: AbortSignal): Promise<DatabaseMember> {
  const { binary, directory, ownDisks, warn } = setup;
  const { port, logFile } = place;
  const files = { dbPath: join(directory, place.name.replace(" ", "-")), logFile };
  const disk = ownDisks ? await mountSmallDisk(files.dbPath) : undefined;
  owned.defer(() => disk?.[Symbol.asyncDispose]());
  const server = await keepProcess(place.name, (spawned, given) => startMember({ binary, files, port, warn, spawned }, given), stop);
  owned.defer(() => killForGood(server));
  const state = (): Promise<MemberState> => stateOf(port);
  return { ...place, pid: server.pid, state, disk, isReady: async () => (await state()) !== "other" };
}

/** Its data is thrown away: there is nothing to shut down cleanly for. */
async function killForGood(server: KeptProcess): Promise<void> {
  const ended = server[Symbol.asyncDispose]();
  const pid = server.pid();
  if (pid !== undefined) {
    killIfThere(pid);
  }
  await ended;
}
