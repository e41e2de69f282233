import { once } from "node:events";
import { connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { expect } from "chai";
import { Channel } from "../../platform/rpc/channel.ts";
import { relayService } from "../../platform/rpc/relay-method.ts";
import type { MethodContract } from "../../proto/contract.ts";
import { contract } from "../../proto/gen/policy/contract.ts";
import type { RelayReply, RelayRequest, RelayResponse, ToService } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import { type Stack, sharedStack } from "../support/stack.ts";
import { callerWith, serverOf, tokensFor } from "./insider.ts";
import { encodeJson } from "./schema.ts";

const DEADLINE_EXCEEDED = 4;
const SOMEBODY = "5a11a0de-0000-4000-8000-00000000d0d0";

describe("a call whose deadline has passed when it arrives is DEADLINE_EXCEEDED, from the service", () => {
  let stack: Stack;

  before(async () => {
    stack = await sharedStack();
  });

  for (const method of contract) {
    it(`as a unary call: ${method.path}`, async () => {
      expect(await callTooLate(targetOf(stack, method), method)).to.equal(DEADLINE_EXCEEDED);
    });

    if (method.route === "relay") {
      it(`on the relay stream: ${method.path}`, async () => {
        const { code, response } = await relayTooLate(targetOf(stack, method), method);

        expect([code, response.length]).to.deep.equal([DEADLINE_EXCEEDED, 0]);
      });
    }
  }
});

function targetOf(stack: Stack, { owner }: MethodContract): string {
  return serverOf(owner) === "chat" ? stack.chatTarget : stack.accountTarget;
}

// grpc-js gives up by itself before it sends such a call, so it is sent as HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
async function callTooLate(target: string, method: MethodContract): Promise<number> {
  const [host, port] = [target.slice(0, target.lastIndexOf(":")), Number(target.slice(target.lastIndexOf(":") + 1))];
  const session = connectHttp2("http://service", {
    createConnection: () => (target.startsWith("unix:") ? connect(target.slice(5)) : connect(port, host)),
  });
  const token = tokensFor(method.credential);
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: method.path,
    [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
    te: "trailers",
    "grpc-timeout": "1n",
    ...(method.credential === "operator" && { "sallyport-operator": "true" }),
    ...(token && { "sallyport-account-id": SOMEBODY, "sallyport-session-id": SOMEBODY, "sallyport-service": token.right }),
  });
  let status: unknown;
  stream.on("response", (headers) => {
    status = headers["grpc-status"];
  });
  stream.on("trailers", (trailers) => {
    status = trailers["grpc-status"] ?? status;
  });
  const message = encodeJson(method.request, method.good[0]?.json() ?? {});
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([prefix, message]));
  stream.resume();
  await once(stream, "close");
  session.close();
  return Number(status);
}

async function relayTooLate(target: string, method: MethodContract): Promise<RelayReply> {
  using channel = new Channel(target);
  const { path, requestSerialize, responseDeserialize } = relayService.relay;
  const stream = channel.grpc.makeBidiStreamRequest<RelayRequest, RelayResponse>(path, requestSerialize, responseDeserialize, {});
  const token = tokensFor(method.credential);
  const call: ToService = {
    kind: {
      $case: "call",
      value: {
        id: 1,
        method: method.path,
        request: Buffer.from(encodeJson(method.request, method.good[0]?.json() ?? {})),
        deadlineUnixMs: Date.now() - 1,
        caller: token && callerWith(token.right, { accountId: SOMEBODY, sessionId: SOMEBODY }),
        address: "127.0.0.1",
        operator: method.credential === "operator",
      },
    },
  };
  stream.write({ items: [{ kind: { $case: "hello", value: { incarnation: SOMEBODY, service: "" } } }, call] });
  const [answer] = (await once(stream, "data")) as [RelayResponse];
  stream.on("error", () => undefined);
  stream.cancel();
  const kind = answer.items[0]?.kind;
  if (kind?.$case !== "reply") {
    throw new Error("the stream brought no reply");
  }
  return kind.value;
}
