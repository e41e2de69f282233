import { expect } from "chai";
import { PauseWatch } from "../../../gateway/pause-watch.ts";

describe("the watch over pauses of a gateway", () => {
  it("takes what is read for new while the process runs", () => {
    using scene = startWatch();
    const { watch, at } = scene;

    for (const now of [100, 250, 1_200]) {
      at(now);
      watch.look();
    }

    expect(watch.lagMs).to.equal(0);
  });

  it("takes what is read after a pause for as old as the pause, whether it or the watch's own look comes first", () => {
    using scene = startWatch();
    const { watch, at } = scene;

    at(7_000);
    const before = watch.lagMs;
    watch.look();
    at(7_400);
    watch.look();

    expect(before).to.equal(7_000);
    expect(watch.lagMs).to.equal(7_400);
  });

  it("takes what is read for new again a second after a pause", () => {
    using scene = startWatch();
    const { watch, at } = scene;

    for (const now of [7_000, 7_900, 8_001]) {
      at(now);
      watch.look();
    }

    expect(watch.lagMs).to.equal(0);
  });
});

function startWatch(): { watch: PauseWatch; at: (now: number) => void } & Disposable {
  let now = 0;
  const watch = new PauseWatch(() => now);
  return {
    watch,
    at: (next) => {
      now = next;
    },
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}
