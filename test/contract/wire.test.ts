import { expect } from "chai";
import type { FieldShape, MessageShape } from "../../proto/contract.ts";
import { shapes } from "../../proto/gen/policy/contract.ts";
import { messages } from "../../proto/gen/policy/services.ts";
import { decodeJson, encodeJson } from "./schema.ts";
import { sampleOf, tag, UNKNOWN_FIELD } from "./wire-format.ts";

describe("the encoding of", () => {
  for (const shape of shapes) {
    it(`${shape.name} has each field at its number, with and without generated code`, () => {
      for (const field of shape.fields) {
        const wire = encodeByHand(field);
        const { json, value } = sampleOf(field);
        const codec = codecOf(shape);

        const decoded = codec.decode(wire) as Record<string, unknown>;

        expect(Buffer.from(codec.encode(decoded).finish()).toString("hex"), field.name).to.equal(wire.toString("hex"));
        expect(Buffer.from(encodeJson(shape.name, { [field.jsonName]: jsonOf(field, json) as never })), field.name).to.deep.equal(wire);
        expect(decodeJson(shape.name, wire, { enumAsInteger: true })).to.deep.equal({ [field.jsonName]: jsonOf(field, json) });
        if (value !== undefined) {
          expect(valueIn(decoded, field), field.name).to.deep.equal(field.list ? [value, value] : value);
        }
      }
    });

    it(`${shape.name} is read the same with a field that is unknown`, () => {
      const whole = Buffer.concat(shape.fields.slice(0, 1).map(encodeByHand));
      const codec = codecOf(shape);

      for (const wire of [Buffer.concat([whole, UNKNOWN_FIELD]), Buffer.concat([UNKNOWN_FIELD, whole])]) {
        expect(codec.decode(wire)).to.deep.equal(codec.decode(whole));
        expect(decodeJson(shape.name, wire)).to.deep.equal(decodeJson(shape.name, whole));
      }
    });

    it(`${shape.name} is refused when it is cut off`, () => {
      // A value of one byte leaves only its tag: that is cut off too.
      for (const field of shape.fields) {
        expect(() => codecOf(shape).decode(encodeByHand(field).subarray(0, -1)), field.name).to.throw();
      }
    });

    it(`${shape.name} is refused when it is not well formed`, () => {
      const codec = codecOf(shape);
      for (const malformed of ["00", "0c", "0b", "0e", "0bff", "f8ffffff0f"]) {
        expect(() => codec.decode(Buffer.from(malformed, "hex")), malformed).to.throw();
      }
      for (const { name, number, type } of shape.fields.filter(({ kind }) => kind === "message")) {
        const beyondItsEnd = Buffer.concat([tag(number, 2), Buffer.from("010a0161", "hex")]);
        expect(() => codec.decode(beyondItsEnd), `${name}: ${type}`).to.throw();
      }
      for (const { name, number } of shape.fields.filter(({ type }) => type === "string")) {
        const notUtf8 = Buffer.concat([tag(number, 2), Buffer.from("02c328", "hex")]);
        expect(() => codec.decode(notUtf8), name).to.throw();
      }
    });
  }

  it("no message has been left out of the table", () => {
    expect([...messages.keys()].sort()).to.deep.equal(shapes.map(({ name }) => name).sort());
  });
});

function codecOf(shape: MessageShape): { encode(message: unknown): { finish(): Uint8Array }; decode(bytes: Uint8Array): unknown } {
  const message = messages.get(shape.name);
  if (message === undefined) {
    throw new Error(`no generated code for ${shape.name}`);
  }
  return message.codec;
}

function encodeByHand(field: FieldShape): Buffer {
  const { wire, wireType } = sampleOf(field);
  const once = Buffer.concat([tag(field.number, wireType), wire]);
  return field.list ? Buffer.concat([once, once]) : once;
}

function jsonOf(field: FieldShape, json: unknown): unknown {
  return field.list ? [json, json] : json;
}

function valueIn(decoded: Record<string, unknown>, { jsonName }: FieldShape): unknown {
  const chosen = Object.values(decoded).find((value) => (value as { $case?: string } | undefined)?.$case === jsonName);
  return jsonName in decoded ? decoded[jsonName] : (chosen as { value?: unknown } | undefined)?.value;
}
