import { expect } from "chai";
import { Cleanup } from "../../../gateway/cleanup.ts";
import { SallyportError, type StatusName, unavailable } from "../../../platform/errors.ts";

/** Resolves when a task has been run so many times, which fails until then. */
function failingUntil(attempts: number, status: StatusName): { task: () => Promise<void>; runs: () => number; done: Promise<void> } {
  let runs = 0;
  let finish: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const task = async (): Promise<void> => {
    runs += 1;
    if (runs < attempts) {
      throw new SallyportError(status, "failed", { reason: "FAILED" });
    }
    finish();
  };
  return { task, runs: () => runs, done };
}

describe("the cleanup after sockets", () => {
  it("runs a task again until it works", async () => {
    using cleanup = new Cleanup();
    const { task, runs, done } = failingUntil(2, "UNAVAILABLE");

    cleanup.add(task);
    await done;

    expect(runs()).to.equal(2);
  });

  for (const status of ["INVALID_ARGUMENT", "NOT_FOUND", "UNIMPLEMENTED"] as const) {
    it(`gives up what is answered with ${status}`, async () => {
      using cleanup = new Cleanup();
      const hopeless = failingUntil(2, status);
      const hopeful = failingUntil(2, "UNAVAILABLE");

      cleanup.add(hopeless.task);
      cleanup.add(hopeful.task);
      await hopeful.done;

      expect(hopeless.runs()).to.equal(1);
    });
  }

  it("forgets the oldest of more than it can keep", async () => {
    using cleanup = new Cleanup();
    const error = unavailable("gone", "GONE");
    const runs: number[] = [];
    let ran: () => void = () => undefined;

    for (let index = 0; index < 260_000; index += 1) {
      cleanup.add(async () => {
        runs.push(index);
        ran();
        throw error;
      });
    }
    await new Promise(setImmediate);
    runs.length = 0;
    await new Promise<void>((resolve) => {
      ran = resolve;
    });

    expect(runs[0]).to.be.within(60_000, 70_001);
  });
});
