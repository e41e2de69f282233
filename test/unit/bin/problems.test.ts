import { expect } from "chai";
import { problemsOf, reading } from "../../../bin/problems.ts";
import { ConfigError } from "../../../platform/env.ts";

describe("problems of several roles", () => {
  it("are told together, those of one variable once", () => {
    const gateway = reading(() => refuse("GATEWAY_PORT: expected a port", "SALLYPORT_DEBUG: expected on or off"));
    const account = reading(() => refuse("SALLYPORT_DEBUG: expected on or off", "ACCOUNT_LISTEN: expected an address"));
    const chat = reading(() => "fine");

    expect(problemsOf([gateway, account, chat])).to.deep.equal([
      "GATEWAY_PORT: expected a port",
      "SALLYPORT_DEBUG: expected on or off",
      "ACCOUNT_LISTEN: expected an address",
    ]);
  });

  it("do not blame a variable for the value that it got from another", () => {
    const gateway = reading(() => refuse("CHAT_TARGETS: expected targets"));
    const chat = reading(() => refuse("CHAT_LISTEN: expected an address"));

    expect(problemsOf([gateway, chat], { CHAT_TARGETS: "CHAT_LISTEN" })).to.deep.equal(["CHAT_LISTEN: expected an address"]);
    expect(problemsOf([gateway], { CHAT_TARGETS: "CHAT_LISTEN" })).to.deep.equal(["CHAT_TARGETS: expected targets"]);
  });

  it("leave faults that are no wrong configuration alone", () => {
    const broken = (): never => {
      throw new TypeError("a fault of ours");
    };

    expect(() => reading(broken)).to.throw(TypeError);
  });
});

function refuse(...problems: string[]): never {
  throw new ConfigError(problems);
}
