import { type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { expect } from "chai";
import * as fc from "fast-check";
import { loadRegistry } from "../../../gateway/connect-router.ts";
import { hasMoreFields } from "../../../gateway/field-count.ts";
import { MalformedError } from "../../../gateway/wire-reader.ts";

const registry = loadRegistry();
const LOGIN = messageNamed("sallyport.account.v1.LoginRequest");
const REPORT = messageNamed("sallyport.chat.v1.ReportMessagesRequest");
const FILE = messageNamed("google.protobuf.FileDescriptorProto");
/** Field 15, which none of them has, as a varint. */
const UNKNOWN = Buffer.from([0x78, 1]);

function messageNamed(name: string): DescMessage {
  const desc = registry.getMessage(name);
  if (desc === undefined) {
    throw new Error(`no ${name}`);
  }
  return desc;
}

/** A length-delimited field. */
function field(number: number, content: Uint8Array): Buffer {
  const length = [];
  for (let rest = content.length; ; rest >>>= 7) {
    length.push(rest < 128 ? rest : (rest & 127) | 128);
    if (rest < 128) {
      return Buffer.concat([Buffer.from([number * 8 + 2, ...length]), content]);
    }
  }
}

function repeat(times: number, part: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => part));
}

/** The smallest number of fields that a message has no more of. */
function count(desc: DescMessage, bytes: Uint8Array): number {
  let most = 0;
  while (hasMoreFields(most, desc, bytes)) {
    most += 1;
  }
  return most;
}

describe("the count of a message's fields", () => {
  it("is of known and unknown ones, and of those in messages", () => {
    const message = field(2, Buffer.concat([field(1, Buffer.from("receipt")), field(2, Buffer.from("body"))]));

    expect(count(REPORT, Buffer.concat([field(1, Buffer.from("why")), repeat(3, message), UNKNOWN]))).to.equal(11);
    expect(count(REPORT, Buffer.alloc(0))).to.equal(0);
    expect(count(LOGIN, field(15, repeat(100, UNKNOWN)))).to.equal(1);
  });

  it("is of each field in a group that nobody knows, with its two ends", () => {
    const group = Buffer.concat([Buffer.from([0x7b]), repeat(10, field(1, UNKNOWN)), Buffer.from([0x7c])]);

    expect(count(LOGIN, group)).to.equal(12);
  });

  it("takes groups and messages that are nested too deeply for too many", () => {
    const groups = Buffer.concat([repeat(101, Buffer.from([0x7b])), repeat(101, Buffer.from([0x7c]))]);
    // DescriptorProto.nested_type is of its own type.
    let nested: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 101; depth += 1) {
      nested = field(3, nested);
    }

    expect(hasMoreFields(1_000, LOGIN, groups)).to.equal(true);
    expect(hasMoreFields(1_000, messageNamed("google.protobuf.DescriptorProto"), nested)).to.equal(true);
  });

  it("takes a packed list for as many as its bytes", () => {
    // FileDescriptorProto.public_dependency is a list of int32.
    const packed = field(10, Buffer.alloc(500, 1));

    expect(count(FILE, packed)).to.equal(501);
    expect(count(FILE, repeat(5, Buffer.from([0x50, 1])))).to.equal(5);
  });

  it("stops where it knows", () => {
    expect(hasMoreFields(10, LOGIN, Buffer.concat([repeat(11, UNKNOWN), Buffer.from([0xff])]))).to.equal(true);
  });

  it("refuses what is not well formed, and a known field in another wire type", () => {
    const wrong = [
      Buffer.from([0x0a]),
      Buffer.from([0x0a, 5, 1]),
      Buffer.from([0x00]),
      Buffer.from([0x7c]),
      Buffer.from([0x08, 1]),
      Buffer.from([0x0d, 0, 0, 0, 0]),
      field(1, Buffer.from([0x7a, 100])),
    ];

    for (const bytes of wrong) {
      expect(() => hasMoreFields(100, LOGIN, bytes), bytes.toString("hex")).to.throw(MalformedError);
    }
    // ReportMessagesRequest.reason is a string.
    expect(() => hasMoreFields(100, REPORT, Buffer.from([0x08, 0]))).to.throw(MalformedError);
  });

  it("is never below what a decoder finds, of any bytes that both read", () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.constantFrom(UNKNOWN, field(1, UNKNOWN), field(2, UNKNOWN), field(2, field(2, UNKNOWN)), field(1, Buffer.from("a"))),
    );
    let read = 0;

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom(LOGIN, REPORT), (pieces, desc) => {
        const bytes = Buffer.concat(pieces);
        const found = attempt(() => countBuilt(fromBinary(desc, bytes)));
        const counted = attempt(() => count(desc, bytes));
        if (found !== undefined && counted !== undefined) {
          read += 1;
          expect(counted).to.be.at.least(found);
        }
      }),
      { numRuns: 2_000 },
    );

    expect(read).to.be.above(100);
  });
});

function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** The unknown fields and the messages that a decoder made, below the message itself. */
function countBuilt(value: unknown, isOutermost = true): number {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) {
    return 0;
  }
  const { $unknown = [], ...rest } = value as { $unknown?: readonly unknown[] };
  const own = "$typeName" in value && !isOutermost ? 1 : 0;
  return own + $unknown.length + Object.values(rest).reduce<number>((sum, one) => sum + countBuilt(one, false), 0);
}
