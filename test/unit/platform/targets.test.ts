import { expect } from "chai";
import { type Target, TargetWatch } from "../../../platform/rpc/targets.ts";

const NAMED = ["dns:///chat.example:9102"] as const;

/** A watch over a resolver that answers as a test says, and what it made of the answers. */
class Scene implements Disposable {
  readonly log: string[] = [];
  readonly asked: string[] = [];
  give: () => readonly string[] | Promise<readonly string[]>;
  /** Addresses that cannot be used. */
  readonly broken = new Set<string>();
  readonly #watch: TargetWatch;
  #wake: () => void = () => undefined;

  constructor(targets: readonly string[], give: Scene["give"]) {
    this.give = give;
    const listener = {
      appeared: ({ address, name }: Target) => {
        if (this.broken.has(address)) {
          throw new Error(`${address} is broken`);
        }
        this.log.push(`+${address}${name ? ` of ${name}` : ""}`);
      },
      vanished: ({ address }: Target) => void this.log.push(`-${address}`),
      unresolved: (name: string, error: unknown) => void this.log.push(`?${name}: ${(error as Error).message}`),
    };
    const resolve = async (name: string): Promise<readonly string[]> => {
      this.asked.push(name);
      this.#wake();
      return await this.give();
    };
    this.#watch = new TargetWatch(targets, listener, { resolve, everyMs: 1 });
  }

  /** Waits until the resolver was asked five times more: what it answers by now has been acted on, and repeated. */
  async settle(): Promise<void> {
    const enough = this.asked.length + 5;
    while (this.asked.length < enough) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}

const fail = (): never => {
  throw new Error("the resolver is down");
};

describe("the targets of a service", () => {
  it("are those of a list, each once, and nobody is asked", () => {
    using scene = new Scene(["127.0.0.1:1", "unix:/run/a", "127.0.0.1:1"], fail);

    expect(scene.log).to.deep.equal(["+127.0.0.1:1", "+unix:/run/a"]);
    expect(scene.asked).to.deep.equal([]);
  });

  it("are the addresses of a name, with its port, as they come and go: what is new is there before what is old goes", async () => {
    using scene = new Scene(NAMED, () => ["127.0.0.2", "::1"]);
    await scene.settle();

    scene.give = () => ["127.0.0.3", "127.0.0.2"];
    await scene.settle();

    expect(new Set(scene.asked)).to.deep.equal(new Set(["chat.example"]));
    expect(scene.log).to.deep.equal([
      "+127.0.0.2:9102 of chat.example",
      "+[::1]:9102 of chat.example",
      "+127.0.0.3:9102 of chat.example",
      "-[::1]:9102",
    ]);
  });

  it("stay while the answers name another part of them each time, and go when none has for a while", async () => {
    const parts = [["127.0.0.2"], ["127.0.0.3"], ["127.0.0.4"]] as const;
    let turn = 0;
    using scene = new Scene(NAMED, () => {
      turn = (turn + 1) % parts.length;
      return parts[turn] ?? [];
    });
    await scene.settle();
    await scene.settle();
    const whileTurning = [...scene.log];

    scene.give = () => ["127.0.0.3"];
    await scene.settle();

    expect(whileTurning.map((line) => line.split(":")[0])).to.have.members(["+127.0.0.2", "+127.0.0.3", "+127.0.0.4"]);
    expect(scene.log.slice(3)).to.have.members(["-127.0.0.2:9102", "-127.0.0.4:9102"]);
  });

  it("have no zone: an address that is good on one machine's link only is none", async () => {
    using scene = new Scene(NAMED, () => ["fe80::1%eth0", "127.0.0.2"]);
    await scene.settle();

    scene.give = () => ["fe80::1%eth0"];
    await scene.settle();

    expect(scene.log).to.deep.equal(["+127.0.0.2:9102 of chat.example", "?chat.example: the name has no addresses"]);
  });

  it("are told of once when one of them cannot be used, and the others are", async () => {
    using scene = new Scene(NAMED, () => ["127.0.0.2", "127.0.0.3"]);
    scene.broken.add("127.0.0.2:9102");

    await scene.settle();

    expect(scene.log).to.deep.equal(["?chat.example: 127.0.0.2:9102 is broken", "+127.0.0.3:9102 of chat.example"]);
  });

  for (const [title, give, text] of [
    ["an error", fail, "the resolver is down"],
    ["no address", () => [], "the name has no addresses"],
  ] as const) {
    it(`stay as they are while the answer is ${title}, which is told once until there is another`, async () => {
      using scene = new Scene(NAMED, () => ["127.0.0.2"]);
      await scene.settle();

      for (const answer of [give, () => ["127.0.0.2"], give]) {
        scene.give = answer;
        await scene.settle();
      }

      expect(scene.log).to.deep.equal(["+127.0.0.2:9102 of chat.example", `?chat.example: ${text}`, `?chat.example: ${text}`]);
    });
  }

  it("are found once a resolver answers that did not at first", async () => {
    using scene = new Scene(NAMED, fail);
    await scene.settle();

    scene.give = () => ["127.0.0.2"];
    await scene.settle();

    expect(scene.log).to.deep.equal(["?chat.example: the resolver is down", "+127.0.0.2:9102 of chat.example"]);
  });

  it("are asked for one time at a time, and change no more after the end", async () => {
    let answer: (addresses: readonly string[]) => void = () => undefined;
    const slow = new Scene(NAMED, () => new Promise((resolve) => (answer = resolve)));
    using quick = new Scene(NAMED, () => ["127.0.0.2"]);
    await quick.settle();

    slow[Symbol.dispose]();
    answer(["127.0.0.2"]);
    await quick.settle();

    expect([slow.asked.length, slow.log]).to.deep.equal([1, []]);
  });

  it("are looked up as the machine does it: localhost is one of its own addresses", async () => {
    const found = await new Promise<Target>((resolve, reject) => {
      const watch = new TargetWatch(["dns:///localhost:9102"], {
        appeared: (target) => {
          watch[Symbol.dispose]();
          resolve(target);
        },
        vanished: () => undefined,
        unresolved: (_, error) => reject(error),
      });
    });

    expect(["127.0.0.1:9102", "[::1]:9102"]).to.include(found.address);
    expect(found.name).to.equal("localhost");
  });
});
