import { expect } from "chai";
import { MongoBulkWriteError } from "mongodb";
import { describeError } from "../../../platform/logger.ts";

describe("what is logged of an error", () => {
  it("is its kind, code, text and stack, and nothing of the documents that it is about", () => {
    const error = new MongoBulkWriteError({ message: "disk full", code: 14031, writeErrors: [] }, { insertedCount: 0 } as never);
    Object.assign(error, { writeErrors: [{ err: { op: { body: "secret" } } }] });

    const logged = describeError(error);

    expect(logged).to.have.all.keys("type", "message", "stack", "code").and.include({ message: "disk full", code: 14031 });
    expect(JSON.stringify(logged)).to.not.contain("secret");
  });

  it("is the same of what caused it", () => {
    const error = new Error("the keys cannot be read", {
      cause: Object.assign(new Error("no access"), { code: "EACCES", path: "secret" }),
    });

    const logged = describeError(error);

    expect(logged).to.have.nested.property("cause.code", "EACCES");
    expect(JSON.stringify(logged)).to.not.contain('"path"');
  });

  it("is not the value when something else than an error was thrown", () => {
    expect(describeError("secret")).to.deep.equal({ type: "string" });
  });
});
