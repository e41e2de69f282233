import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import { KeyRing } from "../../../platform/keys/ring.ts";
import { rotateKeys } from "../../../platform/keys/rotation.ts";
import type { Message } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { claimsOf } from "../../../services/chat/receipts/claims.ts";
import { signReceipt } from "../../../services/chat/receipts/sign.ts";
import { ChatStack } from "./chat-stack.ts";
import { converse, evidence } from "./evidence.ts";
import { as } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

describe("reporting messages", () => {
  it("files what sender or recipient prove, once for the same evidence, enciphered", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const messages = evidence(await converse(gateway, alice, bob, ["hello there", "general remark"]));

    const first = await gateway.chat.reportMessages({ reason: "rude", messages }, as(bob));
    const again = await gateway.chat.reportMessages({ reason: "still rude", messages }, as(bob));
    const turned = await gateway.chat.reportMessages({ reason: "rude", messages: [...messages].reverse() }, as(bob));
    const bySender = await gateway.chat.reportMessages({ reason: "", messages }, as(alice));

    const reports = await stack.documents("reports");
    expect(again.reportId).to.equal(first.reportId);
    expect(new Set([first, turned, bySender].map(({ reportId }) => reportId)).size).to.equal(3);
    expect(reports).to.have.lengthOf(3);
    expect(reports[0]).to.include({ _id: first.reportId, reporterId: bob, reason: "rude", state: "open" });
    expect(reports[0]?.["messages"].map(({ senderId, recipientId }: Record<string, string>) => [senderId, recipientId])).to.deep.equal([
      [alice, bob],
      [alice, bob],
    ]);
    expect(JSON.stringify(reports)).to.not.include(Buffer.from("hello there").toString("base64"));
  });

  it("still takes a receipt whose message is long delivered, and those of an older key", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const messages = await converse(gateway, alice, bob, ["gone"]);
    await gateway.chat.ackMessages({ messageIds: messages.map(({ id }) => id) }, as(bob));
    await stack.stopService();
    await rotateKeys(stack.config.keysDir);
    await stack.startService();
    await gateway.connected();

    const { reportId } = await gateway.chat.reportMessages({ reason: "", messages: evidence(messages) }, as(bob));

    expect(reportId).to.match(/^[0-9a-f-]{36}$/);
  });

  it("refuses every kind of forgery, naming the message and filing nothing", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const [message] = evidence(await converse(gateway, alice, bob, ["genuine"]));
    const [header = "", claims = "", signature = ""] = (message?.receipt ?? "").split(".");
    const active = (await KeyRing.open(stack.config.keysDir, "receipt")).active;
    const mine = claimsOf({ id: newUuid(), senderId: alice, recipientId: bob, order: 0, body: Buffer.from("genuine") });
    const said = JSON.parse(Buffer.from(claims, "base64url").toString());
    const forgeries: Record<string, string> = {
      "no receipt at all": "nonsense",
      "another signature": `${header}.${claims}.${flip(signature)}`,
      "no signature": `${encode({ alg: "none", typ: "receipt+jwt", kid: active.kid })}.${claims}.`,
      "another algorithm": `${encode({ alg: "HS512", typ: "receipt+jwt", kid: active.kid })}.${claims}.${signature}`,
      "changed claims": `${header}.${encode({ ...said, sub: bob })}.${signature}`,
      "an unknown key": signReceipt({ kid: active.kid, secret: Buffer.alloc(32) }, mine),
      "a key of another id": signReceipt({ kid: "0000000000000000", secret: active.secret }, mine),
    };

    for (const [kind, receipt] of Object.entries(forgeries)) {
      const messages = [message, { receipt, body: Buffer.from("genuine") }].flatMap((one) => (one ? [one] : []));
      const refused = await refusalOf(gateway.chat.reportMessages({ reason: "", messages }, as(bob)));
      expect([kind, refused.status, refused.violations[0]?.field]).to.deep.equal([kind, "INVALID_ARGUMENT", "messages[1].receipt"]);
    }
    expect(await stack.documents("reports")).to.have.lengthOf(0);
  });

  it("refuses another body, and whoever took no part in the conversation", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob, carol] = [stack.invite(), stack.invite(), stack.invite()];
    const messages = evidence(await converse(gateway, alice, bob, ["genuine"]));
    const changed = messages.map(({ receipt }) => ({ receipt, body: Buffer.from("made up") }));

    const byBody = await refusalOf(gateway.chat.reportMessages({ reason: "", messages: changed }, as(bob)));
    const byOutsider = await refusalOf(gateway.chat.reportMessages({ reason: "", messages }, as(carol)));

    expect(byBody.violations.map(({ field }) => field)).to.deep.equal(["messages[0].body"]);
    expect(byOutsider.violations.map(({ field }) => field)).to.deep.equal(["messages[0].receipt"]);
    expect(await stack.documents("reports")).to.have.lengthOf(0);
  });

  it("takes 5 MiB of bodies and no more", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const [message] = await converse(gateway, alice, bob, ["x".repeat(65_536)]);
    const repeated = (count: number): { receipt: string; body: Uint8Array }[] =>
      evidence(Array.from({ length: count }, () => message as Message));

    const filed = await gateway.chat.reportMessages({ reason: "", messages: repeated(80) }, as(bob));
    const refused = await refusalOf(gateway.chat.reportMessages({ reason: "", messages: repeated(81) }, as(bob)));

    expect(filed.reportId).to.match(/^[0-9a-f-]{36}$/);
    expect(refused.violations.map(({ field }) => field)).to.deep.equal(["messages"]);
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function flip(signature: string): string {
  return `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
}
