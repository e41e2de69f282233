import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { expect } from "chai";
import { rotateKeys } from "../../platform/keys.ts";
import { chatService } from "../../proto/gen/policy/services.ts";
import { call, callOn, connectAndConfirm, logIn } from "../support/people.ts";
import { startStack } from "../support/stack.ts";

function kidOf(receipt: string): string {
  const header = JSON.parse(Buffer.from(receipt.split(".")[0] ?? "", "base64url").toString()) as { kid: string };
  return header.kid;
}

describe("a rotation of all keys under a running stack", () => {
  it("is taken up by itself, and old tokens, receipts and stored messages stay good", async function () {
    this.timeout(60_000);
    await using stack = await startStack({ env: { CHAT_AT_REST: "aes-256-gcm" } });
    const [alice, bob] = [await logIn(stack.httpUrl), await logIn(stack.httpUrl)];
    const online = await connectAndConfirm(stack.httpUrl, "chat", alice.tokens.chat.refreshToken);
    const body = randomBytes(64);
    const send = (bytes: Buffer): Promise<{ receipt: string; messageId: string }> =>
      callOn(online.socket, chatService.methods.sendMessage, {
        recipientAccountId: bob.accountId,
        clientMessageId: randomUUID(),
        body: bytes,
      });
    const before = await send(body);

    await rotateKeys(join(stack.dataDirectory, "keys"));
    let after = await send(Buffer.from("x"));
    while (kidOf(after.receipt) === kidOf(before.receipt)) {
      after = await send(Buffer.from("x"));
    }
    const late = await connectAndConfirm(stack.httpUrl, "chat", bob.tokens.chat.refreshToken);
    const { message } = await late.socket.event();
    const report = { messages: [{ receipt: before.receipt, body: body.toString("base64") }] };
    const { status } = await call(stack.httpUrl, "sallyport.chat.v1.ChatService/ReportMessages", report, late.accessToken);

    expect(message).to.deep.include({ id: before.messageId, receipt: before.receipt, body: body.toString("base64") });
    expect(status).to.equal(200);
    late.socket.cut();
    online.socket.cut();
  });
});
