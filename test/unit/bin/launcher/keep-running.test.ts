import { expect } from "chai";
import { HEALTHY_AFTER_MS } from "../../../../bin/launcher/backoff.ts";
import { type Keeping, keepRunning } from "../../../../bin/launcher/keep-running.ts";
import type { Part } from "../../../../bin/process/part.ts";
import type { Exit } from "../../../../bin/process/spawn-process.ts";

describe("a part of the stack", () => {
  it("fails the whole when it dies without supervision", async () => {
    const stage = new Stage();
    const running = await keepRunning(stage.keeping({ supervise: false }), stage.stop);

    stage.latest.die("killed by SIGKILL");

    const reason = await (running.failed ?? Promise.reject(new Error("it cannot fail"))).catch((error: unknown) => error);
    expect(String(reason)).to.contain("chat ended unexpectedly (killed by SIGKILL)");
    expect(stage.parts).to.have.length(1);
  });

  it("is restarted under supervision, after growing delays and with a line for each restart", async () => {
    const stage = new Stage();
    const running = await keepRunning(stage.keeping({ supervise: true }), stage.stop);

    for (let deaths = 1; deaths <= 3; deaths += 1) {
      stage.latest.die("exit code 1");
      await stage.started(deaths + 1);
    }

    expect(stage.lines).to.deep.equal([
      "sallyport: chat ended (exit code 1): restart 1 in 200 ms",
      "sallyport: chat ended (exit code 1): restart 2 in 400 ms",
      "sallyport: chat ended (exit code 1): restart 3 in 800 ms",
    ]);
    await running[Symbol.asyncDispose]();
  });

  it("counts a restart that fails as a failure", async () => {
    const stage = new Stage();
    const running = await keepRunning(stage.keeping({ supervise: true }), stage.stop);

    stage.failNextStart("its port is taken");
    stage.latest.die("exit code 1");
    await stage.started(2);

    expect(stage.lines.at(-1)).to.equal("sallyport: chat ended (its port is taken): restart 2 in 400 ms");
    await running[Symbol.asyncDispose]();
  });

  it("is forgiven its failures once it ran healthy for a while", async () => {
    const stage = new Stage();
    const running = await keepRunning(stage.keeping({ supervise: true }), stage.stop);
    stage.latest.die("exit code 1");
    await stage.started(2);

    stage.now += HEALTHY_AFTER_MS;
    stage.latest.die("exit code 1");
    await stage.started(3);

    expect(stage.lines.at(-1)).to.contain("restart 1 in 200 ms");
    await running[Symbol.asyncDispose]();
  });

  it("is ended, and not restarted, when it is disposed of", async () => {
    const stage = new Stage();
    const running = await keepRunning(stage.keeping({ supervise: true }), stage.stop);

    await running[Symbol.asyncDispose]();

    expect(stage.latest.disposed).to.equal(true);
    expect(stage.lines).to.deep.equal([]);
    expect(stage.parts).to.have.length(1);
  });

  it("is not started again when the stack stops during a delay", async () => {
    const stage = new Stage();
    const waits: AbortSignal[] = [];
    const wait = (_delayMs: number, stop: AbortSignal): Promise<void> => {
      waits.push(stop);
      return new Promise((_, reject) => stop.addEventListener("abort", () => reject(new Error("given up"))));
    };
    const running = await keepRunning({ ...stage.keeping({ supervise: true }), wait }, stage.stop);
    stage.latest.die("exit code 1");
    await stage.warned();

    await running[Symbol.asyncDispose]();

    expect(waits).to.have.length(1);
    expect(stage.parts).to.have.length(1);
  });
});

class FakePart implements Part {
  readonly address = "somewhere";
  readonly ended: Promise<Exit>;
  disposed = false;
  #end: (exit: Exit) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  die(how: string): void {
    this.#end({ code: 1, how });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed = true;
    this.die("exit code 0");
  }
}

class Stage {
  readonly parts: FakePart[] = [];
  readonly lines: string[] = [];
  readonly stop: AbortSignal = new AbortController().signal;
  now = 0;
  readonly #waiting: { readonly met: () => boolean; readonly resolve: () => void }[] = [];
  #failure: string | undefined;

  get latest(): FakePart {
    return this.parts.at(-1) as FakePart;
  }

  keeping({ supervise }: { supervise: boolean }): Keeping {
    const warn = (line: string): void => {
      this.lines.push(line);
      this.#settle();
    };
    return { name: "chat", start: () => this.#start(), supervise, warn, random: () => 0, now: () => this.now, wait: async () => undefined };
  }

  failNextStart(reason: string): void {
    this.#failure = reason;
  }

  started(count: number): Promise<void> {
    return this.#until(() => this.parts.length >= count);
  }

  warned(): Promise<void> {
    return this.#until(() => this.lines.length > 0);
  }

  async #start(): Promise<Part> {
    const reason = this.#failure;
    this.#failure = undefined;
    if (reason !== undefined) {
      throw new Error(reason);
    }
    const part = new FakePart();
    this.parts.push(part);
    setImmediate(() => this.#settle());
    return part;
  }

  #until(met: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ met, resolve });
      this.#settle();
    });
  }

  #settle(): void {
    for (const { resolve } of this.#waiting.filter(({ met }) => met())) {
      resolve();
    }
  }
}
