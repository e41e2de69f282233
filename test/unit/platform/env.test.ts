import { expect } from "chai";
import { ConfigError, integer, isLoopbackHost, milliseconds, oneOf, onOff, readVariables } from "../../../platform/env.ts";

const variables = {
  PORT: { default: "8080", meaning: "a port", parse: integer(0, 65535) },
  DEBUG: { default: "off", meaning: "a switch", parse: onOff },
  WAIT_MS: { default: "100", meaning: "a time", parse: milliseconds(1) },
} as const;

describe("readVariables", () => {
  it("reads defaults where a variable is unset or empty", () => {
    const values = readVariables({ DEBUG: "" }, variables);

    expect(values).to.deep.equal({ PORT: 8080, DEBUG: false, WAIT_MS: 100 });
  });

  it("names every wrong variable in one error", () => {
    const read = (): unknown => readVariables({ PORT: "65536", DEBUG: "yes", WAIT_MS: "-1" }, variables);

    expect(read)
      .to.throw(ConfigError)
      .with.property("problems")
      .that.deep.equals([
        "PORT: expected a whole number from 0 to 65535",
        "DEBUG: expected on or off",
        "WAIT_MS: expected a whole number from 1 to 8640000000",
      ]);
  });

  it("asks the rules between variables too, also when one of them cannot be read", () => {
    const rules = ({ PORT, DEBUG }: { PORT: number; DEBUG: boolean }): string[] =>
      DEBUG && PORT === 80 ? ["PORT: 80 is no port to debug"] : [];

    expect(() => readVariables({ PORT: "80", DEBUG: "on" }, variables, rules)).to.throw(ConfigError, "PORT: 80 is no port to debug");
    expect(() => readVariables({ PORT: "80", DEBUG: "on", WAIT_MS: "x" }, variables, rules)).to.throw(/WAIT_MS.*\n.*PORT: 80/);
    expect(readVariables({ PORT: "80" }, variables, rules).PORT).to.equal(80);
  });

  it("takes no number that only starts like one", () => {
    for (const text of ["1e3", "0x10", " 80", "80 ", "8.0", "+80", ""]) {
      expect(() => integer(0, 65535)(text), text).to.throw();
    }
  });

  it("takes one of the words and nothing else", () => {
    expect(oneOf("caesar", "aes-256-gcm")("caesar")).to.equal("caesar");
    expect(() => oneOf("caesar", "aes-256-gcm")("rot13")).to.throw(/^expected one of caesar, aes-256-gcm$/);
    expect(() => oneOf("", "a", "b")("c")).to.throw(/^expected one of a, b or nothing$/);
  });
});

describe("isLoopbackHost", () => {
  it("knows what is this machine alone", () => {
    expect(["127.0.0.1", "127.9.9.9", "::1", "[::1]", "0:0:0:0:0:0:0:1", "::0001", "localhost"].every(isLoopbackHost)).to.equal(true);
    for (const other of [
      "0.0.0.0",
      "::",
      "10.0.0.1",
      "127.0.0.999",
      "127.0.0.1.example.com",
      "[127.0.0.1]",
      "1::1",
      "::1:1",
      "example.com",
      "",
    ]) {
      expect(isLoopbackHost(other), other).to.equal(false);
    }
  });
});
