import { expect } from "chai";
import { wheelUnfit } from "../../../../bin/mongod/wheel.ts";

describe("the server in the wheel", () => {
  it("is for Linux on x64 only", () => {
    expect(wheelUnfit("linux", "x64")).to.equal(undefined);
    expect(wheelUnfit("linux", "arm64")).to.contain("not for linux arm64");
    expect(wheelUnfit("darwin", "x64")).to.contain("not for darwin x64");
  });
});
