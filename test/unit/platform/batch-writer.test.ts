import { expect } from "chai";
import { BatchWriter } from "../../../platform/rpc/batch-writer.ts";

/** A sink that says it has room only when the test says so. */
function createSink(): { batches: string[][]; write: (items: string[], written: () => void) => void; release: () => void } {
  const batches: string[][] = [];
  let waiting: () => void = () => undefined;
  return {
    batches,
    write: (items, written) => {
      batches.push(items);
      waiting = written;
    },
    release: () => waiting(),
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("BatchWriter", () => {
  it("writes what one turn adds as one batch, and what gathers meanwhile as the next", async () => {
    const sink = createSink();
    const writer = new BatchWriter<string>(sink, (item) => item.length);

    writer.add("a");
    writer.add("b");
    await nextTurn();
    writer.add("c");
    writer.add("d");
    await nextTurn();
    sink.release();
    await nextTurn();

    expect(sink.batches).to.deep.equal([
      ["a", "b"],
      ["c", "d"],
    ]);
  });

  it("ends a batch at a megabyte, so that no message outgrows gRPC's limit", async () => {
    const sink = createSink();
    const writer = new BatchWriter<string>(sink, () => 700_000);

    for (const item of ["a", "b", "c"]) {
      writer.add(item);
    }
    await nextTurn();
    sink.release();
    await nextTurn();

    expect(sink.batches).to.deep.equal([["a", "b"], ["c"]]);
  });

  it("says how many bytes wait", async () => {
    const sink = createSink();
    const writer = new BatchWriter<string>(sink, (item) => item.length);

    writer.add("first");
    await nextTurn();
    writer.add("second");

    expect(writer.queuedBytes).to.equal(6);
  });

  it("starts again after it ran dry", async () => {
    const sink = createSink();
    const writer = new BatchWriter<string>(sink, () => 1);

    writer.add("a");
    await nextTurn();
    sink.release();
    await nextTurn();
    writer.add("b");
    await nextTurn();

    expect(sink.batches).to.deep.equal([["a"], ["b"]]);
  });
});
