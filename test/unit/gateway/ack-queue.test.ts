import { expect } from "chai";
import { AckQueue } from "../../../gateway/ack-queue.ts";
import { SallyportError, unavailable } from "../../../platform/errors.ts";

const ids = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => `id ${from + index}`);

interface Told {
  readonly messageIds: string[];
  readonly succeed: () => void;
  readonly fail: (error: SallyportError) => void;
}

/** A queue whose calls wait until the test answers them. */
function recordingQueue(clock: () => number = () => 0): { queue: AckQueue; told: Told[]; nextTold: (count: number) => Promise<Told> } {
  const told: Told[] = [];
  let wake: () => void = () => undefined;
  const tell = (messageIds: string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      told.push({ messageIds, succeed: resolve, fail: reject });
      wake();
    });
  const nextTold = async (count: number): Promise<Told> => {
    while (told.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return told[count - 1] as Told;
  };
  return { queue: new AckQueue(tell, clock), told, nextTold };
}

describe("the queue of a socket's acknowledgements", () => {
  it("tells 256 ids at a time, each once, and one call waits for the other", async () => {
    const { queue, told, nextTold } = recordingQueue();

    queue.add(ids(600));
    queue.add(ids(600));
    const whileFirstWaits = told.length;
    (await nextTold(1)).succeed();
    (await nextTold(2)).succeed();
    (await nextTold(3)).succeed();
    await nextTold(4).then(({ succeed }) => succeed());

    expect(whileFirstWaits).to.equal(1);
    expect(told.map(({ messageIds }) => messageIds.length)).to.deep.equal([256, 256, 256, 88]);
    expect(
      told
        .slice(1)
        .flatMap(({ messageIds }) => messageIds)
        .sort(),
    ).to.deep.equal(ids(600).sort());
  });

  it("repeats a call that failed for a moment, before it goes on", async () => {
    const { queue, told, nextTold } = recordingQueue();
    queue.add(ids(1));
    queue.add(ids(1, 1));

    (await nextTold(1)).fail(unavailable("gone", "GONE"));
    (await nextTold(2)).succeed();
    (await nextTold(3)).succeed();

    expect(told.map(({ messageIds }) => messageIds)).to.deep.equal([["id 0"], ["id 0"], ["id 1"]]);
  });

  it("goes on after a call that was refused", async () => {
    const { queue, nextTold } = recordingQueue();
    queue.add(ids(1));
    queue.add(ids(1, 1));

    (await nextTold(1)).fail(new SallyportError("INVALID_ARGUMENT", "no", { reason: "NO" }));
    const second = await nextTold(2);

    expect(second.messageIds).to.deep.equal(["id 1"]);
  });

  it("has room for more than an inbox holds, and says when it is full", () => {
    const { queue } = recordingQueue();

    const fits = queue.add(ids(16_384));
    const repeated = queue.add(ids(256, 1_000));
    const beyond = queue.add(ids(257, 20_000));

    expect([fits, repeated, beyond]).to.deep.equal([true, true, false]);
  });

  it("gives up 30 s after the socket's end", async () => {
    let now = 0;
    const { queue, told, nextTold } = recordingQueue(() => now);
    queue.add(ids(300));
    queue.end();

    now = 29_999;
    (await nextTold(1)).fail(unavailable("gone", "GONE"));
    const second = await nextTold(2);
    now = 30_000;
    second.fail(unavailable("gone", "GONE"));
    await new Promise(setImmediate);

    expect(told).to.have.length(2);
  });
});
