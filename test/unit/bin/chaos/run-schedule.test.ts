import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "chai";
import type { Fault, Target } from "../../../../bin/chaos/fault.ts";
import type { Inject, Injection, Skipped } from "../../../../bin/chaos/injection.ts";
import { type PastFault, runSchedule } from "../../../../bin/chaos/run-schedule.ts";

const CHAT: Target = { kind: "chat", index: 0 };
const MONGOD: Target = { kind: "mongod", index: 2 };
const LASTING: Fault = { kind: "pause", durationMs: 3_600_000 };

describe("the faults of a schedule", () => {
  it("come one after the other on a kind of process, each when the last victim is as it was", async () => {
    const stage = new Stage();

    await stage.run([scheduled(0, CHAT), scheduled(0, { kind: "chat", index: 1 })]);

    expect(stage.log).to.deep.equal(["kill chat 0", "heal chat 0", "over chat 0", "kill chat 1", "heal chat 1", "over chat 1"]);
  });

  it("never hit the primary while another server of the database is not back", async () => {
    const stage = new Stage();

    await stage.run([scheduled(0, MONGOD), scheduled(0, { kind: "primary" })]);

    expect(stage.log.indexOf("kill primary")).to.be.greaterThan(stage.log.indexOf("over mongod 2"));
  });

  it("may overlap on different kinds", async () => {
    const stage = new Stage();
    const other = stage.until("kill mongod 2");
    stage.delay("chat 0", other);

    await stage.run([scheduled(0, CHAT), scheduled(0, MONGOD)]);

    expect(stage.log.indexOf("kill mongod 2")).to.be.lessThan(stage.log.indexOf("over chat 0"));
  });

  it("are healed at the end of their time, and again until that works", async () => {
    const stage = new Stage();
    stage.failToHeal("chat 0", 2);

    const [past] = await stage.run([scheduled(0, CHAT, { kind: "pause", durationMs: 5 })]);

    expect(stage.log).to.deep.equal(["pause chat 0", "fail chat 0", "fail chat 0", "heal chat 0", "over chat 0"]);
    expect(past?.outcome).to.have.property("readyAfterMs");
  });

  it("are healed when the run is stopped", async () => {
    const stage = new Stage();
    const begun = stage.until("pause chat 0");

    const run = stage.run([scheduled(0, CHAT, LASTING)]);
    await begun;
    stage.stop.abort();

    expect(await run.catch((error: Error) => error.name)).to.equal("AbortError");
    expect(stage.log).to.deep.equal(["pause chat 0", "heal chat 0"]);
  });

  it("are healed when the run is stopped while they are being done, before anybody is told that it stopped", async () => {
    const stage = new Stage();
    const [begun, other] = [stage.until("do mongod 2"), stage.until("pause chat 0")];
    const doing = stage.hold("mongod 2");

    const run = stage.run([scheduled(0, CHAT, LASTING), scheduled(0, MONGOD, LASTING)]);
    const end = run.catch(() => stage.write("stopped"));
    await Promise.all([begun, other]);
    const healed = stage.until("heal chat 0");
    stage.stop.abort();
    await healed;
    await nextTurn();
    doing();
    await end;

    expect(stage.log.slice(-4)).to.deep.equal(["heal chat 0", "pause mongod 2", "heal mongod 2", "stopped"]);
  });

  it("are healed again when the run is stopped while that does not work", async () => {
    const stage = new Stage();
    stage.failToHeal("chat 0", 2);
    const failed = stage.until("fail chat 0");

    const run = stage.run([scheduled(0, CHAT)]);
    await failed;
    stage.stop.abort();

    expect(await run.catch((error: Error) => error.name)).to.equal("AbortError");
    expect(stage.log).to.deep.equal(["kill chat 0", "fail chat 0", "fail chat 0", "heal chat 0"]);
  });

  it("are skipped, with the reason, when they cannot be done", async () => {
    const stage = new Stage();
    stage.refuse("chat 0", "it does not run");

    const past = await stage.run([scheduled(0, CHAT), scheduled(0, { kind: "chat", index: 1 })]);

    expect(past[0]?.outcome).to.deep.equal({ skipped: "it does not run" });
    expect(past[1]?.outcome).to.have.property("readyAfterMs");
  });
});

function scheduled(atMs: number, target: Target, fault: Fault = { kind: "kill" }): { atMs: number; target: Target; fault: Fault } {
  return { atMs, target, fault };
}

/** Writes down what is done to whom. */
class Stage {
  readonly log: string[] = [];
  readonly stop = new AbortController();
  readonly #refusals = new Map<string, string>();
  readonly #failures = new Map<string, number>();
  readonly #holds = new Map<string, Promise<void>>();
  readonly #delays = new Map<string, Promise<void>>();
  readonly #heard = new Map<string, () => void>();

  run(schedule: Parameters<typeof runSchedule>[0]): Promise<readonly PastFault[]> {
    return runSchedule(schedule, { inject: this.#inject, report: () => undefined, stop: this.stop.signal, restMs: 0 });
  }

  refuse(victim: string, why: string): void {
    this.#refusals.set(victim, why);
  }

  failToHeal(victim: string, times: number): void {
    this.#failures.set(victim, times);
  }

  /** Has a fault take until the result is called. */
  hold(victim: string): () => void {
    let release = (): void => undefined;
    this.#holds.set(victim, new Promise((resolve) => (release = resolve)));
    return () => release();
  }

  delay(victim: string, until: Promise<void>): void {
    this.#delays.set(victim, until);
  }

  until(line: string): Promise<void> {
    return new Promise((resolve) => this.#heard.set(line, resolve));
  }

  readonly #inject: Inject = async ({ fault, target }): Promise<Injection | Skipped> => {
    const victim = "index" in target ? `${target.kind} ${target.index}` : target.kind;
    const refusal = this.#refusals.get(victim);
    if (refusal !== undefined) {
      return { skipped: refusal };
    }
    if (this.#holds.has(victim)) {
      this.write(`do ${victim}`);
      await this.#holds.get(victim);
    }
    this.write(`${fault.kind} ${victim}`);
    return { victim, heal: () => this.#heal(victim), isOver: () => this.#isOver(victim) };
  };

  async #heal(victim: string): Promise<void> {
    const failures = this.#failures.get(victim) ?? 0;
    if (failures > 0) {
      this.#failures.set(victim, failures - 1);
      this.write(`fail ${victim}`);
      throw new Error("not yet");
    }
    this.write(`heal ${victim}`);
  }

  async #isOver(victim: string): Promise<boolean> {
    await this.#delays.get(victim);
    this.write(`over ${victim}`);
    return true;
  }

  write(line: string): void {
    this.log.push(line);
    this.#heard.get(line)?.();
  }
}
