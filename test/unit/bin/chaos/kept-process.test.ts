import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import { keepProcess } from "../../../../bin/chaos/kept-process.ts";
import type { Part } from "../../../../bin/process/part.ts";
import type { Exit } from "../../../../bin/process/spawn-process.ts";

const NEVER = new AbortController().signal;
const KILLED: Exit = { code: undefined, how: "killed by SIGKILL" };

/** What happens at each start of a process, whose id is the number of the start. */
type Start = (spawned: () => void) => Promise<Part>;

function startsIn(...starts: readonly Start[]): (spawned: (pid: number) => void) => Promise<Part> {
  let number = 0;
  return (spawned) => {
    number += 1;
    const start = starts[number - 1] as Start;
    const pid = number;
    return start(() => spawned(pid));
  };
}

function part(ended: Promise<Exit>): Part {
  return { address: "", ended, [Symbol.asyncDispose]: async () => undefined };
}

describe("a process that is kept running", () => {
  it("is none while it is started again, also after a start that failed when there was a process", async () => {
    const pids: (number | undefined)[] = [];
    let end = (_: Exit): void => undefined;
    const ended = new Promise<Exit>((resolve) => (end = resolve));
    let again = (): void => undefined;
    const startedAgain = new Promise<void>((resolve) => (again = resolve));
    const start = startsIn(
      async (spawned) => {
        spawned();
        return part(ended);
      },
      async (spawned) => {
        spawned();
        throw new Error("it ended before it was ready");
      },
      async (spawned) => {
        pids.push(kept.pid());
        spawned();
        again();
        return part(new Promise(() => undefined));
      },
    );

    await using kept = await keepProcess("chat 0", start, NEVER);
    pids.push(kept.pid());
    end(KILLED);
    await startedAgain;
    await nextTurn();
    pids.push(kept.pid());

    expect(pids).to.deep.equal([1, undefined, 3]);
  });
});
