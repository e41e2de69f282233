import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { chatService } from "../../proto/gen/policy/services.ts";
import { call, callOn, connectAndConfirm, logIn, refusalOn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { startStack } from "../support/stack.ts";

describe("what the processes log", () => {
  it("says that something happened, and never a token, a body or a receipt", async () => {
    const stack = await startStack({ env: { SALLYPORT_LOG_LEVEL: "trace", ACCOUNT_REUSE_GRACE_MS: "0" } });
    const body = Buffer.from(`a body ${randomUUID()}`);
    const [alice, bob] = [await logIn(stack.httpUrl), await logIn(stack.httpUrl)];
    const online = await connectAndConfirm(stack.httpUrl, "chat", alice.tokens.chat.refreshToken);
    const message = { recipientAccountId: bob.accountId, clientMessageId: randomUUID(), body };

    const { receipt } = await callOn(online.socket, chatService.methods.sendMessage, message);
    await refusalOn(online.socket, chatService.methods.sendMessage, { ...message, body: Buffer.concat([body, body]) });
    await call(
      stack.httpUrl,
      "sallyport.chat.v1.ChatService/ReportMessages",
      { messages: [{ receipt, body: "AAAA" }] },
      online.accessToken,
    );
    await using thief = await RawSocket.open(stack.httpUrl, "/connect/chat");
    thief.send(alice.tokens.chat.refreshToken);
    await online.socket.closed();
    await stack[Symbol.asyncDispose]();

    const secrets = [alice.tokens.chat.refreshToken, online.refreshToken, online.accessToken, body, Buffer.from(receipt)];
    const forms = secrets.flatMap((secret) => [
      secret.toString("base64").slice(0, 24),
      secret.toString("hex").slice(0, 32),
      secret.toString("latin1").slice(-24),
    ]);
    expect(stack.log()).to.include(alice.accountId);
    expect(forms.filter((form) => stack.log().includes(form))).to.deep.equal([]);
  });
});
