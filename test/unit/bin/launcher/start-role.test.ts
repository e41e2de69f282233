import { expect } from "chai";
import { parseReadyLine } from "../../../../bin/launcher/start-role.ts";

describe("a role's ready line", () => {
  it("tells the address", () => {
    expect(parseReadyLine("ready gateway http://127.0.0.1:8080", "gateway")).to.equal("http://127.0.0.1:8080");
  });

  for (const line of ["", "ready", "ready chat unix:/run/chat.sock", "ready gateway", "ready gateway a b", "not ready gateway a"]) {
    it(`is not "${line}"`, () => {
      expect(parseReadyLine(line, "gateway")).to.equal(undefined);
    });
  }
});
