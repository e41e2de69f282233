import { expect } from "chai";
import fc from "fast-check";
import { uuidFromBytes } from "../../../../../platform/ids.ts";
import { decodePageToken, encodePageToken } from "../../../../../services/chat/reports/page-token.ts";

const PLACE = { createdAt: 1_767_225_600_123, reportId: "0f8fad5b-d9cb-469f-a165-70867728950e" };
const GOLDEN = "AQAAAZt22qh7D4-tW9nLRp-hZXCGdyiVDsJtptY";

describe("a page token of a list of reports", () => {
  it("has its bytes", () => {
    expect(encodePageToken("open", PLACE)).to.equal(GOLDEN);
    expect(decodePageToken(GOLDEN, "open")).to.deep.equal(PLACE);
  });

  it("brings every place back, for its own state only", () => {
    const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidFromBytes);
    const state = fc.constantFrom(undefined, "open" as const, "resolved" as const);

    fc.assert(
      fc.property(fc.nat({ max: 8_640_000_000_000_000 }), id, state, state, (createdAt, reportId, written, read) => {
        const decoded = decodePageToken(encodePageToken(written, { createdAt, reportId }), read);

        expect(decoded).to.deep.equal(written === read ? { createdAt, reportId } : undefined);
      }),
    );
  });

  it("is not read when anything of it is changed, added or missing", () => {
    const changed = [...GOLDEN].map((letter, index) => `${GOLDEN.slice(0, index)}${letter === "A" ? "B" : "A"}${GOLDEN.slice(index + 1)}`);
    const others = ["", "x", GOLDEN.slice(1), GOLDEN.slice(0, -1), `${GOLDEN}A`, `${GOLDEN}=`, ` ${GOLDEN}`, "é".repeat(39)];

    for (const token of [...changed, ...others]) {
      expect(decodePageToken(token, "open"), token).to.equal(undefined);
    }
  });
});
