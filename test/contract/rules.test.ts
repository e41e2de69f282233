import { expect } from "chai";
import { Channel } from "../../platform/rpc/channel.ts";
import type { BadRequestSample, MethodContract } from "../../proto/contract.ts";
import { contract } from "../../proto/gen/policy/contract.ts";
import { type Stack, sharedStack } from "../support/stack.ts";
import { createInsider, doorOf, type Insider, identityFor, serverOf } from "./insider.ts";
import { type Outcome, ruleBroken } from "./outcome.ts";
import { encodeJson } from "./schema.ts";
import { overGrpc, overJson, overProto, overSocket } from "./ways.ts";

describe("a request that breaks a rule is refused with the field's name", () => {
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

  for (const method of contract.filter(({ bad }) => bad.length > 0)) {
    it(`by the service itself: ${method.path}`, async () => {
      const identity = identityFor(method.credential, insider);

      await expectRefusals(method, (request) =>
        overGrpc(channels[serverOf(method.owner)], method, encodeJson(method.request, request), identity),
      );
    });

    if (method.audience !== "internal") {
      it(`over HTTP in JSON: ${method.path}`, async () => {
        const { url, token } = await doorOf(stack, method, insider);

        await expectRefusals(method, (request) => overJson(url, method, request, token));
      });

      it(`over HTTP in protobuf: ${method.path}`, async () => {
        const { url, token } = await doorOf(stack, method, insider);

        await expectRefusals(method, (request) => overProto(url, method, encodeJson(method.request, request), token));
      });
    }

    if (method.audience === "public") {
      it(`on a socket: ${method.path}`, async () => {
        const socket = insider.sockets[serverOf(method.owner)];

        await expectRefusals(method, (request) => overSocket(socket, method, encodeJson(method.request, request)));
      });
    }
  }
});

async function expectRefusals(
  { bad }: MethodContract,
  call: (request: ReturnType<BadRequestSample["json"]>) => Promise<Outcome>,
): Promise<void> {
  const outcomes: Record<string, Partial<Outcome>> = {};
  for (const { title, json } of bad) {
    const { httpStatus, ...outcome } = await call(json());
    expect(httpStatus ?? 400, title).to.equal(400);
    outcomes[title] = outcome;
  }

  expect(outcomes).to.deep.equal(Object.fromEntries(bad.map(({ title, field }) => [title, ruleBroken(field)])));
}
