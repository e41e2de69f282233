import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { Broadcast } from "../../../client/broadcast.ts";

/** The bytes on the heap that something refers to. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

async function readAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const item of items) {
    read.push(item);
  }
  return read;
}

describe("a broadcast", () => {
  it("hands everyone what was published since they subscribed, begun to read or not", async () => {
    const broadcast = new Broadcast<string>();
    broadcast.publish("before");
    const first = broadcast.subscribe();
    broadcast.publish("a");
    const second = broadcast.subscribe();
    broadcast.publish("b");
    broadcast.end();

    expect(await readAll(first)).to.deep.equal(["a", "b"]);
    expect(await readAll(second)).to.deep.equal(["b"]);
  });

  it("hands on what comes while somebody waits, until the signal aborts", async () => {
    const broadcast = new Broadcast<string>();
    const controller = new AbortController();
    const items = broadcast.subscribe(controller.signal);
    const next = items.next();

    broadcast.publish("a");
    const last = next.then(() => items.next());
    expect(await next).to.deep.equal({ value: "a", done: false });
    controller.abort();

    expect((await last).done).to.equal(true);
  });

  it("drops the oldest items of who reads too slowly", async () => {
    const broadcast = new Broadcast<number>();
    const items = broadcast.subscribe();
    broadcast.publish(0);
    const first = await items.next();
    for (let item = 1; item <= 2_000; item += 1) {
      broadcast.publish(item);
    }
    broadcast.end();

    const rest = await readAll(items);

    expect(first.value).to.equal(0);
    expect(rest).to.deep.equal(Array.from({ length: 1_024 }, (_, index) => index + 977));
  });

  it("holds nothing for subscriptions that nobody ever reads", () => {
    const broadcast = new Broadcast<number>();
    const before = heapInUse();

    for (let subscription = 0; subscription < 1_000; subscription += 1) {
      broadcast.subscribe();
    }
    for (let item = 0; item < 1_024; item += 1) {
      broadcast.publish(item);
    }

    expect(heapInUse() - before).to.be.below(2_000_000);
  });
});
