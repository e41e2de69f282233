import { expect } from "chai";
import fc from "fast-check";
import { type ClientFrame, decodeClientFrame, encodeFailure, encodeResponse } from "../../../gateway/frames.ts";
import { MalformedError } from "../../../gateway/wire-reader.ts";
import { ClientFrame as Codec, ServerFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("client frames", () => {
  for (const [golden, frame] of [
    ["0a 0b 08 05 12 02 2f 61 1a 01 ff 20 0a", { kind: "call", id: 5, method: "/a", request: hex("ff"), timeoutMs: 10 }],
    ["0a 00", { kind: "call", id: 0, method: "", request: new Uint8Array(0), timeoutMs: 0 }],
    ["12 06 0a 01 61 0a 01 62", { kind: "ack", messageIds: ["a", "b"] }],
    ["1a 02 08 07", { kind: "cancel", callId: 7 }],
    ["22 00", { kind: "keepAlive" }],
    ["", { kind: "unknown" }],
    ["82 06 01 00", { kind: "unknown" }],
    ["0a 02 08 01 0a 02 08 02", { kind: "call", id: 2, method: "", request: new Uint8Array(0), timeoutMs: 0 }],
    ["0a 02 08 01 22 00", { kind: "keepAlive" }],
  ] as const satisfies readonly (readonly [string, ClientFrame])[]) {
    it(`read ${golden || "nothing"} as ${frame.kind}`, () => {
      expect({ ...decodeClientFrame(hex(golden)) }).to.deep.equal({ ...frame, ...("request" in frame ? { request: frame.request } : {}) });
    });
  }

  for (const [malformed, why] of [
    ["ff", "an unfinished varint"],
    ["ff ff ff ff ff ff ff ff ff ff 01", "a varint over ten bytes"],
    ["00", "field number 0"],
    ["02 00", "field number 0 with a length"],
    ["0a 05 08 01", "a length beyond the end"],
    ["0a 01 08", "a field that ends within its call"],
    ["0a 03 12 05 61", "a length beyond the call's end"],
    ["0a 03 12 01 ff", "a method that is no UTF-8"],
    ["12 03 0a 01 ff", "an id that is no UTF-8"],
    ["0c", "a group's end without its start"],
    ["0e", "a wire type that there is none of"],
    ["82 06", "an unknown field without its content"],
    ["29 01", "a fixed64 of one byte"],
    ["2d 01", "a fixed32 of one byte"],
    ["2b 34", "a group that ends as another"],
    ["2b", "a group without an end"],
    ["22 01 ff", "a malformed KeepAlive"],
    ["1a 01 ff", "a malformed Cancel"],
  ] as const) {
    it(`refuse ${why}`, () => {
      expect(() => decodeClientFrame(hex(malformed))).to.throw(MalformedError);
    });
  }

  it("read what the generated encoder writes", () => {
    const kinds = fc.oneof(
      fc.record({
        $case: fc.constant("call" as const),
        value: fc.record({
          id: fc.integer({ min: 0, max: 0xffffffff }),
          method: fc.string({ unit: "binary" }),
          request: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
          timeoutMs: fc.integer({ min: 0, max: 0xffffffff }),
        }),
      }),
      fc.record({ $case: fc.constant("ack" as const), value: fc.record({ messageIds: fc.array(fc.string()) }) }),
      fc.record({ $case: fc.constant("cancel" as const), value: fc.record({ callId: fc.integer({ min: 0, max: 0xffffffff }) }) }),
    );

    fc.assert(
      fc.property(kinds, (kind) => {
        const { kind: name, ...fields } = decodeClientFrame(Codec.encode({ kind }).finish());
        expect(name).to.equal(kind.$case);
        expect("request" in fields ? { ...fields, request: Buffer.from(fields.request) } : fields).to.deep.equal(kind.value);
      }),
    );
  });

  it("are read or refused, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeClientFrame(bytes);
        } catch (error) {
          expect(error).to.be.instanceOf(MalformedError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("survive groups nested without end", () => {
    expect(() => decodeClientFrame(Buffer.alloc(100_000, 0x2b))).to.throw(MalformedError);
  });
});

describe("server frames", () => {
  it("carry the response of a call", () => {
    expect(Buffer.from(encodeResponse(5, hex("0102"))).toString("hex")).to.equal("0a0608051a020102");
  });

  it("carry why a call failed", () => {
    const details = [{ typeUrl: "type.googleapis.com/x", value: hex("01") }];

    const { kind } = ServerFrame.decode(encodeFailure(5, { code: 7, message: "no", details }));

    expect(kind?.value).to.deep.include({ callId: 5, code: 7, message: "no", details });
  });
});
