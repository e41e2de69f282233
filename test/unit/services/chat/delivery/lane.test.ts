import { expect } from "chai";
import { Lane } from "../../../../../services/chat/delivery/lane.ts";

describe("a lane", () => {
  it("lets callers pass in the order in which they entered, whoever leaves early", async () => {
    const lane = new Lane();
    const passed: string[] = [];
    const [first, second, third] = [lane.enter(), lane.enter(), lane.enter()];
    const third$ = third.reached.then(() => passed.push("third"));

    second.leave();
    await first.reached;
    passed.push("first");
    first.leave();
    await third$;

    expect(passed).to.deep.equal(["first", "third"]);
  });

  it("goes on after a failure", async () => {
    const lane = new Lane();
    const failing = lane.run(() => Promise.reject(new Error("no"))).catch(() => "failed");

    const next = await lane.run(() => "passed");

    expect([await failing, next]).to.deep.equal(["failed", "passed"]);
  });
});
