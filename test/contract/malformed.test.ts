import { expect } from "chai";
import { Channel } from "../../platform/rpc/channel.ts";
import { contract } from "../../proto/gen/policy/contract.ts";
import { type Stack, sharedStack } from "../support/stack.ts";
import { createInsider, doorOf, type Insider, identityFor, serverOf } from "./insider.ts";
import { overGrpc, overJson, overProto, overSocket } from "./ways.ts";

/** A tag without a value, a length beyond the end, a varint without an end, field number 0, a group's end without its start. */
const NOT_MESSAGES = ["0a", "0a7f00", "08ffffffffffffffffffffff", "00", "0c"].map((hex) => Buffer.from(hex, "hex"));
const NOT_JSON = ["", "{", "[]", "1", '"x"', '{"a":1', "\u0000"];

const REFUSED = { code: 3, domain: "sallyport" };

describe("bytes that are no message are INVALID_ARGUMENT", () => {
  let stack: Stack;
  let insider: Insider;
  let channels: Record<"account" | "chat", Channel>;

  before(async () => {
    stack = await sharedStack();
    insider = await createInsider(stack.httpUrl);
    channels = { account: new Channel(stack.accountTarget), chat: new Channel(stack.chatTarget) };
  });

  after(async () => {
    await insider[Symbol.asyncDispose]();
    channels.account[Symbol.dispose]();
    channels.chat[Symbol.dispose]();
  });

  for (const method of contract) {
    it(`to the service itself: ${method.path}`, async () => {
      const identity = identityFor(method.credential, insider);

      for (const bytes of NOT_MESSAGES) {
        expect(await overGrpc(channels[serverOf(method.owner)], method, bytes, identity), bytes.toString("hex")).to.include(REFUSED);
      }
    });

    if (method.audience !== "internal") {
      it(`from outside: ${method.path}`, async () => {
        const door = await doorOf(stack, method, insider);

        for (const bytes of NOT_MESSAGES) {
          expect(await overProto(door.url, method, bytes, door.token), bytes.toString("hex")).to.include({
            ...REFUSED,
            httpStatus: 400,
          });
          if (method.audience === "public") {
            expect(await overSocket(insider.sockets[serverOf(method.owner)], method, bytes), bytes.toString("hex")).to.include(REFUSED);
          }
        }
        for (const text of NOT_JSON) {
          expect(await overJson(door.url, method, text, door.token), text).to.include({ ...REFUSED, httpStatus: 400 });
        }
      });
    }
  }
});
