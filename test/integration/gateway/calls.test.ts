import { once } from "node:events";
import { expect } from "chai";
import fc from "fast-check";
import { SallyportError } from "../../../platform/errors.ts";
import { BadRequest, ErrorInfo } from "../../../proto/gen/google/rpc/error_details.ts";
import { SendMessageRequest } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ClientFrame, type Reply } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";
import { ACCOUNT, SESSION } from "./fake-services.ts";
import { startStack, TestSocket } from "./harness.ts";

const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";
const SEND = "/sallyport.chat.v1.ChatService/SendMessage";
const hang = { chat: { listBlockedAccounts: () => new Promise<never>(() => undefined) } };

function reasonOf(reply: Reply): string {
  const info = reply.details.find(({ typeUrl }) => typeUrl.endsWith("google.rpc.ErrorInfo"));
  return info ? ErrorInfo.decode(info.value).reason : "none";
}

describe("calls on a socket", () => {
  for (const [method, code, reason] of [
    ["/sallyport.account.v1.AccountService/GetAccount", 7, "SERVICE_NOT_EXCHANGED"],
    ["/sallyport.account.v1.TokenService/PresentRefreshToken", 12, "METHOD_UNKNOWN"],
    ["/sallyport.chat.v1.DeliveryService/Attach", 12, "METHOD_UNKNOWN"],
    ["/sallyport.relay.v1.LeaseService/EndLease", 12, "METHOD_UNKNOWN"],
    ["/sallyport.chat.v1.ChatService/Nothing", 12, "METHOD_UNKNOWN"],
    ["", 12, "METHOD_UNKNOWN"],
    ["__proto__", 12, "METHOD_UNKNOWN"],
  ] as const) {
    it(`answers ${code} to ${method || "an empty method"}, and the socket goes on`, async () => {
      await using stack = await startStack();
      using socket = await new TestSocket(stack.gateway.address).exchange();

      socket.call(1, method);
      const refused = await socket.nextReply();
      socket.call(2, LIST);
      const served = await socket.nextReply();

      expect([refused.callId, refused.code, reasonOf(refused)]).to.deep.equal([1, code, reason]);
      expect([served.callId, served.code]).to.deep.equal([2, 0]);
    });
  }

  it("carries who calls, from where, and the request untouched", async () => {
    await using stack = await startStack();
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const sent = once(stack.chat.asked, "sendMessage");
    const request = { recipientAccountId: ACCOUNT.toUpperCase(), clientMessageId: SESSION, body: Buffer.from("hello") };

    socket.call(1, SEND, SendMessageRequest.encode(request).finish());
    const [[received, call], reply] = await Promise.all([sent, socket.nextReply()]);

    expect(received).to.deep.equal(request);
    expect(call.caller).to.deep.equal({ accountId: ACCOUNT, sessionId: SESSION, service: "chat" });
    expect(call.address).to.equal("127.0.0.1");
    expect(reply.code).to.equal(0);
  });

  it("fails a malformed request with 3 and its field violations, and the socket goes on", async () => {
    await using stack = await startStack();
    using socket = await new TestSocket(stack.gateway.address).exchange();

    socket.call(1, SEND, Buffer.from([0xff]));
    const malformed = await socket.nextReply();
    socket.call(2, SEND);
    const empty = await socket.nextReply();

    expect([malformed.code, reasonOf(malformed)]).to.deep.equal([3, "MALFORMED_REQUEST"]);
    const bad = empty.details.find(({ typeUrl }) => typeUrl.endsWith("BadRequest"));
    expect(BadRequest.decode(bad?.value ?? Buffer.alloc(0)).fieldViolations.map(({ field }) => field)).to.include("recipientAccountId");
  });

  it("refuses the 65th call in flight with 8", async () => {
    await using stack = await startStack(hang);
    using socket = await new TestSocket(stack.gateway.address).exchange();

    for (let id = 1; id <= 65; id += 1) {
      socket.call(id, LIST);
    }
    const reply = await socket.nextReply();

    expect([reply.callId, reply.code, reasonOf(reply)]).to.deep.equal([65, 8, "TOO_MANY_CALLS"]);
  });

  it("refuses an id that is in flight with 3", async () => {
    await using stack = await startStack(hang);
    using socket = await new TestSocket(stack.gateway.address).exchange();

    socket.call(9, LIST);
    socket.call(9, LIST);
    const reply = await socket.nextReply();

    expect([reply.callId, reply.code, reasonOf(reply)]).to.deep.equal([9, 3, "CALL_ID_IN_FLIGHT"]);
  });

  it("ends a cancelled call with 1, here and at the service", async () => {
    let abort: () => void = () => undefined;
    const heard = new Promise<void>((resolve) => {
      abort = resolve;
    });
    await using stack = await startStack({
      chat: {
        listBlockedAccounts: (_request, { signal }) => {
          signal.addEventListener("abort", () => abort());
          return new Promise<never>(() => undefined);
        },
      },
    });
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const asked = once(stack.chat.asked, "listBlockedAccounts");
    socket.call(3, LIST);
    await asked;

    socket.send({ $case: "cancel", value: { callId: 3 } });
    const reply = await socket.nextReply();
    await heard;

    expect([reply.callId, reply.code]).to.deep.equal([3, 1]);
  });

  it("ends a call at its deadline with 4", async () => {
    await using stack = await startStack(hang);
    using socket = await new TestSocket(stack.gateway.address).exchange();

    socket.call(4, LIST, undefined, 50);
    const reply = await socket.nextReply();

    expect([reply.callId, reply.code]).to.deep.equal([4, 4]);
  });

  it("fails calls with 14 while the service is away", async () => {
    await using stack = await startStack();
    using socket = await new TestSocket(stack.gateway.address).exchange();
    socket.call(1, LIST);
    await socket.nextReply();
    await stack.chat[Symbol.asyncDispose]();

    socket.call(2, LIST);
    const reply = await socket.nextReply();

    expect([reply.callId, reply.code]).to.deep.equal([2, 14]);
  });

  it("says no more of an internal error than that", async () => {
    await using stack = await startStack({
      chat: {
        listBlockedAccounts: () => {
          throw new Error("secret");
        },
      },
    });
    using socket = await new TestSocket(stack.gateway.address).exchange();

    socket.call(1, LIST);
    const reply = await socket.nextReply();

    expect([reply.code, reply.message, reasonOf(reply)]).to.deep.equal([13, "internal error", "INTERNAL"]);
  });

  it("hands on what a method refuses", async () => {
    await using stack = await startStack({
      chat: {
        listBlockedAccounts: () => {
          throw new SallyportError("NOT_FOUND", "nothing there", { reason: "NOTHING" });
        },
      },
    });
    using socket = await new TestSocket(stack.gateway.address).exchange();

    socket.call(1, LIST);
    const reply = await socket.nextReply();

    expect([reply.code, reply.message, reasonOf(reply)]).to.deep.equal([5, "nothing there", "NOTHING"]);
  });

  for (const [title, frame, code] of [
    ["a text frame", "{}", 4400],
    ["bytes that are no ClientFrame", Buffer.from([0x0a, 0x05, 0x01]), 4400],
    ["a frame over 128 KiB", Buffer.alloc(131_073), 1009],
  ] as const) {
    it(`closes with ${code} after ${title}`, async () => {
      await using stack = await startStack();
      using socket = await new TestSocket(stack.gateway.address).exchange();

      socket.ws.send(frame);

      expect(await socket.closed).to.equal(code);
    });
  }

  it("ignores an unknown kind of frame and an empty one", async () => {
    await using stack = await startStack();
    using socket = await new TestSocket(stack.gateway.address).exchange();

    socket.ws.send(Buffer.from([0x82, 0x06, 0x01, 0x00]));
    socket.ws.send(Buffer.alloc(0));
    socket.send({ $case: "keepAlive", value: {} });
    socket.call(1, LIST);

    expect((await socket.nextReply()).code).to.equal(0);
  });

  it("survives any bytes", async () => {
    await using stack = await startStack();

    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async (bytes) => {
        using socket = await new TestSocket(stack.gateway.address).exchange();
        socket.ws.send(bytes);
        socket.ws.close();
        return (await socket.closed) > 0;
      }),
      { numRuns: 40 },
    );
    using socket = await new TestSocket(stack.gateway.address).exchange();
    socket.call(1, LIST);

    expect((await socket.nextReply()).code).to.equal(0);
  });

  it("drops replies to a socket that has closed, and cancels its calls", async () => {
    let answer: () => void = () => undefined;
    let abort: () => void = () => undefined;
    const cancelled = new Promise<void>((resolve) => {
      abort = resolve;
    });
    await using stack = await startStack({
      chat: {
        listBlockedAccounts: (_request, { signal }) => {
          signal.addEventListener("abort", () => abort());
          return new Promise((resolve) => {
            answer = () => resolve({ accountIds: [] });
          });
        },
      },
    });
    using socket = await new TestSocket(stack.gateway.address).exchange();
    const asked = once(stack.chat.asked, "listBlockedAccounts");
    const released = once(stack.account.asked, "releaseConnection");
    socket.call(1, LIST);
    await asked;

    socket.ws.terminate();
    await Promise.all([cancelled, released]);
    answer();
    using other = await new TestSocket(stack.gateway.address).exchange();
    const again = once(stack.chat.asked, "listBlockedAccounts");
    other.call(1, LIST);
    await again;
    answer();

    expect((await other.nextReply()).code).to.equal(0);
  });

  it("takes a frame as the generated encoder writes it, cut at any byte, without harm", async () => {
    await using stack = await startStack();
    const frame = ClientFrame.encode({
      kind: { $case: "call", value: { id: 1, method: LIST, request: Buffer.alloc(0), timeoutMs: 0 } },
    }).finish();

    for (let length = 1; length < frame.length; length += 7) {
      using socket = await new TestSocket(stack.gateway.address).exchange();
      socket.ws.send(frame.subarray(0, length));
      expect(await socket.closed).to.equal(4400);
    }
  });
});
