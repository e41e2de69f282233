import { createFileRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect } from "chai";
import fc from "fast-check";
import { eventText } from "../../../gateway/event-text.ts";
import { image } from "../../../proto/gen/policy/image.ts";
import { Event } from "../../../proto/gen/sallyport/gateway/v1/events.ts";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(image, "base64")));

/** The JSON that @bufbuild/protobuf makes of the same event. */
function oracle(event: Event): unknown {
  const desc = registry.getMessage("sallyport.gateway.v1.Event");
  if (desc === undefined) {
    throw new Error("no descriptor");
  }
  return toJson(desc, fromBinary(desc, Event.encode(event).finish()));
}

const text = fc.string({ unit: "grapheme" });
const time = fc.option(fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }), {
  nil: undefined,
});
const body = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes));
const events: fc.Arbitrary<Event> = fc
  .oneof(
    fc.record({
      $case: fc.constant("message" as const),
      value: fc.record({ id: text, clientMessageId: text, senderAccountId: text, sentAt: time, body, receipt: text }),
    }),
    fc.record({
      $case: fc.constant("delivered" as const),
      value: fc.record({ messageId: text, clientMessageId: text, recipientAccountId: text, deliveredAt: time }),
    }),
    fc.constant({ $case: "queueEmpty" as const, value: {} }),
    fc.constant({ $case: "displaced" as const, value: {} }),
    fc.record({ $case: fc.constant("draining" as const), value: fc.record({ reconnectAfterMs: fc.integer({ min: 0, max: 0xffffffff }) }) }),
  )
  .map((kind) => ({ kind }));

describe("the text of an event", () => {
  it("is the proto3 JSON that @bufbuild/protobuf makes", () => {
    fc.assert(
      fc.property(events, (event) => {
        expect(JSON.parse(eventText(event))).to.deep.equal(oracle(event));
      }),
    );
  });

  for (const [event, golden] of [
    [{ kind: { $case: "queueEmpty", value: {} } }, '{"queueEmpty":{}}'],
    [{ kind: { $case: "displaced", value: {} } }, '{"displaced":{}}'],
    [{ kind: { $case: "draining", value: { reconnectAfterMs: 1200 } } }, '{"draining":{"reconnectAfterMs":1200}}'],
    [{ kind: { $case: "draining", value: { reconnectAfterMs: 0 } } }, '{"draining":{}}'],
    [{ kind: undefined }, "{}"],
  ] as const satisfies readonly (readonly [Event, string])[]) {
    it(`is ${golden}`, () => {
      expect(eventText(event)).to.equal(golden);
    });
  }

  for (const [ms, golden] of [
    [0, "1970-01-01T00:00:00Z"],
    [1, "1970-01-01T00:00:00.001Z"],
    [1500, "1970-01-01T00:00:01.500Z"],
  ] as const) {
    it(`writes the time ${ms} as ${golden}`, () => {
      const value = { messageId: "m", clientMessageId: "", recipientAccountId: "", deliveredAt: new Date(ms) };

      expect(eventText({ kind: { $case: "delivered", value } })).to.equal(`{"delivered":{"messageId":"m","deliveredAt":"${golden}"}}`);
    });
  }
});
