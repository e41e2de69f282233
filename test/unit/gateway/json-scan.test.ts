import { expect } from "chai";
import * as fc from "fast-check";
import { type JsonScan, SCAN_START, scanJson } from "../../../gateway/json-scan.ts";

function scan(...texts: readonly string[]): JsonScan {
  return texts.reduce((before, text) => scanJson(before, Buffer.from(text)), SCAN_START);
}

/** Counts what a parser built. */
function countValues(value: unknown): number {
  return typeof value === "object" && value !== null ? 1 + Object.values(value).reduce<number>((sum, one) => sum + countValues(one), 0) : 1;
}

function depthOf(value: unknown): number {
  return typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;
}

function countStructure(value: unknown): number {
  if (typeof value !== "object" || value === null) {
    return 0;
  }
  const values = Object.values(value);
  return 1 + Math.max(0, values.length - 1) + values.reduce<number>((sum, one) => sum + countStructure(one), 0);
}

// Keys that an object literal takes for something else would not come back.
const json = fc.jsonValue({ depthSize: "large", maxDepth: 12 }).filter((value) => !JSON.stringify(value).includes("__proto__"));

describe("a scan of JSON", () => {
  it("counts arrays, objects and commas, and how deep they are", () => {
    expect(scan('{"a":[1,2,{"b":null}],"c":{}}')).to.include({ parts: 7, deepest: 3, depth: 0 });
    expect(scan("[[[[")).to.include({ parts: 4, deepest: 4, depth: 4 });
    expect(scan("1")).to.include({ parts: 0, deepest: 0 });
  });

  it("counts nothing within strings, whatever they escape", () => {
    expect(scan('"[,{"')).to.include({ parts: 0, deepest: 0 });
    expect(scan(String.raw`["\"[,{", "\\", [1], "\\\"[", "\u005b["]`)).to.include({ parts: 6, deepest: 2, depth: 0 });
    expect(scan('{"é[":"😀,"}')).to.include({ parts: 1, deepest: 1 });
  });

  it("sees of any text what a parser builds: at most one value more than it counts", () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), (value, indent) => {
        const seen = scan(JSON.stringify(value, undefined, indent));

        expect(seen).to.deep.equal({ at: "structure", depth: 0, deepest: depthOf(value), parts: countStructure(value) });
        expect(countValues(value)).to.be.at.most(seen.parts + 1);
      }),
    );
  });

  it("sees the same wherever a text is cut", () => {
    fc.assert(
      fc.property(json, fc.array(fc.nat()), (value, places) => {
        const bytes = Buffer.from(JSON.stringify(value));
        const cuts = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);

        const seen = cuts.slice(1).reduce((before, end, index) => scanJson(before, bytes.subarray(cuts[index], end)), SCAN_START);

        expect(seen).to.deep.equal(scanJson(SCAN_START, bytes));
      }),
    );
  });
});
