import type { JsonValue } from "@bufbuild/protobuf";
import { expect } from "chai";
import { messages } from "../../../proto/gen/policy/services.ts";
import { ClientFrame, ServerFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";
import { decodeJson, encodeJson } from "../../contract/schema.ts";

/** A message by hand: its bytes, and its proto3 JSON. */
interface Golden {
  readonly title: string;
  readonly hex: string;
  readonly json: JsonValue;
}

const CLIENT_FRAMES: readonly Golden[] = [
  { title: "nothing", hex: "", json: {} },
  {
    title: "a Call",
    hex: "0a11 0807 1206 2f612e422f43 1a02 0a0b 20dc0b",
    json: { call: { id: 7, method: "/a.B/C", request: "Cgs=", timeoutMs: 1500 } },
  },
  { title: "an empty Call", hex: "0a00", json: { call: {} } },
  { title: "an Ack", hex: "1208 0a026d31 0a026d32", json: { ack: { messageIds: ["m1", "m2"] } } },
  { title: "a Cancel", hex: "1a06 08ffffffff0f", json: { cancel: { callId: 4294967295 } } },
  { title: "a KeepAlive", hex: "2200", json: { keepAlive: {} } },
];

const SERVER_FRAMES: readonly Golden[] = [
  { title: "a Reply", hex: "0a06 0807 1a020102", json: { reply: { callId: 7, response: "AQI=" } } },
  { title: "a Reply to call 0 without content", hex: "0a00", json: { reply: {} } },
  {
    title: "a Reply that says why not",
    // google.rpc.RetryInfo, at once.
    hex: "0a3a 0807 1008 2204 736c6f77 2a2e 0a28 747970652e676f6f676c65617069732e636f6d2f676f6f676c652e7270632e5265747279496e666f 1202 0a00",
    json: {
      reply: { callId: 7, code: 8, message: "slow", details: [{ retryDelay: "0s", "@type": "type.googleapis.com/google.rpc.RetryInfo" }] },
    },
  },
];

const EVENTS: readonly Golden[] = [
  {
    title: "a message",
    hex: "0a1e 0a0169 120163 1a0173 220b 08a5ebdcca06 10809bee02 2a03 01fbff 320172",
    json: {
      message: { id: "i", clientMessageId: "c", senderAccountId: "s", sentAt: "2026-01-02T03:04:05.006Z", body: "Afv/", receipt: "r" },
    },
  },
  { title: "queueEmpty", hex: "1200", json: { queueEmpty: {} } },
  {
    title: "delivered",
    hex: "1a11 0a0169 120163 1a0172 2206 08a5ebdcca06",
    json: { delivered: { messageId: "i", clientMessageId: "c", recipientAccountId: "r", deliveredAt: "2026-01-02T03:04:05Z" } },
  },
  { title: "displaced", hex: "2200", json: { displaced: {} } },
  { title: "draining", hex: "2a03 08b009", json: { draining: { reconnectAfterMs: 1200 } } },
];

const RELAY_REQUESTS: readonly Golden[] = [
  { title: "a Hello", hex: "0a05 0a03 0a0169", json: { items: [{ hello: { incarnation: "i" } }] } },
  {
    title: "a RelayCall",
    hex: "0a25 1223 0801 1202 2f6d 1a01 ff 2080f8a5f9c132 2a0c 0a0161 120173 1a04 63686174 3203 3a3a31",
    json: {
      items: [
        {
          call: {
            id: 1,
            method: "/m",
            request: "/w==",
            deadlineUnixMs: "1735689600000",
            caller: { accountId: "a", sessionId: "s", service: "chat" },
            address: "::1",
          },
        },
      ],
    },
  },
  { title: "a batch", hex: "0a04 1a02 0801 0a04 1a02 0802", json: { items: [{ cancel: { callId: 1 } }, { cancel: { callId: 2 } }] } },
];

const RELAY_RESPONSES: readonly Golden[] = [
  {
    title: "a RelayReply",
    hex: "0a0d 0a0b 0801 1005 1a01 01 2202 6e6f",
    json: { items: [{ reply: { callId: 1, code: 5, response: "AQ==", message: "no" } }] },
  },
  {
    title: "a Push",
    hex: "0a0a 1208 0805 1003 1a02 1200",
    json: { items: [{ push: { connection: "5", epoch: "3", event: { queueEmpty: {} } } }] },
  },
  { title: "a Revoked", hex: "0a05 1a03 0a0173", json: { items: [{ revoked: { sessionId: "s" } }] } },
];

describe("the bytes of", () => {
  pin("sallyport.gateway.v1.ClientFrame", CLIENT_FRAMES);
  pin("sallyport.gateway.v1.ServerFrame", SERVER_FRAMES);
  pin("sallyport.gateway.v1.Event", EVENTS);
  pin("sallyport.relay.v1.RelayRequest", RELAY_REQUESTS);
  pin("sallyport.relay.v1.RelayResponse", RELAY_RESPONSES);

  it("a Call are what the generated code makes of its fields", () => {
    const call = { id: 7, method: "/a.B/C", request: Buffer.from([10, 11]), timeoutMs: 1500 };

    const bytes = ClientFrame.encode({ kind: { $case: "call", value: call } }).finish();

    expect(hexOf(bytes)).to.equal("0a11080712062f612e422f431a020a0b20dc0b");
    expect(ClientFrame.decode(bytes)).to.deep.equal({ kind: { $case: "call", value: call } });
  });

  it("a Reply are what the generated code makes of its fields", () => {
    const reply = { callId: 7, code: 0, response: Buffer.from([1, 2]), message: "", details: [] };

    const bytes = ServerFrame.encode({ kind: { $case: "reply", value: reply } }).finish();

    expect(hexOf(bytes)).to.equal("0a0608071a020102");
    expect(ServerFrame.decode(bytes)).to.deep.equal({ kind: { $case: "reply", value: reply } });
  });

  it("a ClientFrame of a kind that is unknown are read as one without a kind", () => {
    expect(ClientFrame.decode(Buffer.from("4a03616263", "hex"))).to.deep.equal({ kind: undefined });
  });
});

function pin(name: string, goldens: readonly Golden[]): void {
  for (const { title, hex, json } of goldens) {
    it(`${name}: ${title} stay as they are, with generated code and without`, () => {
      const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
      const codec = messages.get(name)?.codec;

      expect(hexOf(encodeJson(name, json))).to.equal(hexOf(bytes));
      expect(JSON.stringify(decodeJson(name, bytes))).to.equal(JSON.stringify(json));
      expect(hexOf(codec?.encode(codec.decode(bytes)).finish() ?? Buffer.of(0))).to.equal(hexOf(bytes));
    });
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
