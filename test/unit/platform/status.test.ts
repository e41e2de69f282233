import { expect } from "chai";
import { invalidArgument, SallyportError, toSallyportError, unavailable } from "../../../platform/errors.ts";
import { fromWireStatus, toWireStatus } from "../../../platform/rpc/status.ts";

describe("wire status", () => {
  it("carries reason, violations and retry through google.rpc details", () => {
    const error = new SallyportError("RESOURCE_EXHAUSTED", "slow down", {
      reason: "RATE_LIMITED",
      retryAfterMs: 1500,
      violations: [{ field: "body", description: "is required" }],
    });

    const back = fromWireStatus(toWireStatus(error));

    expect({ ...back, message: back.message }).to.deep.include({
      status: "RESOURCE_EXHAUSTED",
      reason: "RATE_LIMITED",
      retryAfterMs: 1500,
      message: "slow down",
    });
    expect(back.violations.map(({ field, description }) => ({ field, description }))).to.deep.equal([
      { field: "body", description: "is required" },
    ]);
  });

  it("says of everything that is unavailable when to try again, and of nothing else that does not", () => {
    const hintOf = (error: SallyportError): number | undefined => fromWireStatus(toWireStatus(error)).retryAfterMs;

    expect(hintOf(unavailable("gone", "GONE"))).to.equal(500);
    expect(hintOf(new SallyportError("UNAVAILABLE", "busy", { reason: "BUSY", retryAfterMs: 7_000 }))).to.equal(7_000);
    expect(toWireStatus(new SallyportError("NOT_FOUND", "none", { reason: "NONE" })).details).to.have.length(1);
  });

  it("says nothing of an error that is not ours", () => {
    const status = toWireStatus(toSallyportError(new Error("password=hunter2")));

    expect(status.code).to.equal(13);
    expect(JSON.stringify(status) + status.details.map(({ value }) => value.toString()).join("")).to.not.contain("hunter2");
  });

  it("tells twenty of a million violations", () => {
    const error = invalidArgument(
      Array.from({ length: 1_000_000 }, (_, index) => ({ field: `ids[${index}]`, description: "must be a UUID" })),
    );

    expect(error.violations).to.have.length(20);
    expect(error.message.length).to.be.lessThan(2_000);
  });

  it("names every violated field in the text", () => {
    const error = invalidArgument([
      { field: "dev.name", description: "must be 1 to 64 code points long" },
      { field: "client.version", description: "must be 0 to 64 code points long" },
    ]);

    expect(error.message).to.contain("dev.name").and.to.contain("client.version");
  });
});
