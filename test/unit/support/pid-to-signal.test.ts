import { expect } from "chai";
import { pidToSignal } from "../../support/pid-to-signal.ts";

describe("the process that a test signals", () => {
  it("is one that is there, and never the process group of the test run", () => {
    expect(pidToSignal(1_234)).to.equal(1_234);
    expect(() => pidToSignal(undefined)).to.throw("there is no process to signal");
    expect(() => pidToSignal(0)).to.throw("there is no process to signal");
  });
});
