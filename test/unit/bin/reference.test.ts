import { expect } from "chai";
import { mergeTables, renderEnvExample, renderReference } from "../../../bin/reference.ts";
import { text, type Variables } from "../../../platform/env.ts";

const tables: readonly Variables[] = [
  { SHARED: { default: "", meaning: "what both read", parse: text }, FIRST: { default: "1", meaning: "the first's", parse: text } },
  { SHARED: { default: "else", meaning: "the same again", parse: text }, SECOND: { default: "two", meaning: "the second's", parse: text } },
];

describe("the reference of variables", () => {
  it("names a variable of several tables once, as the first table has it", () => {
    const merged = mergeTables(tables);

    expect(merged.map(([name]) => name)).to.deep.equal(["SHARED", "FIRST", "SECOND"]);
    expect(merged[0]?.[1].meaning).to.equal("what both read");
  });

  it("has a line with default and meaning for each", () => {
    const lines = renderReference(tables).split("\n");

    expect(lines).to.deep.equal([
      "variable  default  meaning",
      "SHARED    -        what both read",
      "FIRST     1        the first's",
      "SECOND    two      the second's",
    ]);
  });

  it("comments everything out in the example of an environment file", () => {
    const lines = renderEnvExample(tables).split("\n");

    expect(lines.every((line) => line === "" || line.startsWith("#"))).to.equal(true);
    expect(lines).to.include("# SECOND=two");
  });
});
