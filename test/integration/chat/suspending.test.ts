import { expect } from "chai";
import { chatService } from "../../../proto/gen/policy/services.ts";
import { Resolution } from "../../../proto/gen/sallyport/chat/v1/moderation.ts";
import { ChatStack } from "./chat-stack.ts";
import { type Proved, reportable } from "./evidence.ts";
import { as, asOperator, type FakeGateway } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

const DAY_MS = 86_400_000;
const SUSPENDED = ["PERMISSION_DENIED", "REPORTING_SUSPENDED"];

describe("an account whose reports are rejected", () => {
  it("may not report for 30 days from the tenth rejection, not even what it has reported already", async () => {
    let time = Date.now();
    await using stack = await ChatStack.start({ now: () => time });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const parts = await reportable(gateway, alice, bob, 12);
    for (const messages of parts.slice(0, 9)) {
      await fileAndResolve(gateway, bob, messages, Resolution.REJECTED);
    }
    await fileAndResolve(gateway, bob, parts[9] ?? [], Resolution.ACCEPTED);
    time += 29 * DAY_MS;
    await fileAndResolve(gateway, bob, parts[10] ?? [], Resolution.REJECTED);

    const refused = await refusalOf(report(gateway, bob, parts[11] ?? []));
    const repeated = await refusalOf(report(gateway, bob, parts[0] ?? []));
    const garbage = await refusalOf(gateway.relay.invoke(chatService.methods.reportMessages.path, Buffer.from("0a", "hex"), as(bob)));
    const byAnother = await report(gateway, alice, parts[11] ?? []);
    time += 30 * DAY_MS - 1;
    const onTheLastDay = await refusalOf(report(gateway, bob, parts[11] ?? []));
    time += 1;
    const afterwards = await report(gateway, bob, parts[11] ?? []);

    expect([refused, repeated, garbage, onTheLastDay].map(({ status, reason }) => [status, reason])).to.deep.equal(
      Array(4).fill(SUSPENDED),
    );
    expect([refused.retryAfterMs, onTheLastDay.retryAfterMs]).to.deep.equal([30 * DAY_MS, 1]);
    expect([byAnother, afterwards].map(({ reportId }) => reportId.length)).to.deep.equal([36, 36]);
    expect(await stack.documents("reports")).to.have.lengthOf(13);
  });

  it("may go on when ten rejections do not lie within 30 days", async () => {
    let time = Date.now();
    await using stack = await ChatStack.start({ now: () => time });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    for (const messages of await reportable(gateway, alice, bob, 12)) {
      await fileAndResolve(gateway, bob, messages, Resolution.REJECTED);
      time += (30 * DAY_MS) / 9;
    }

    expect(await stack.documents("reports")).to.have.lengthOf(12);
  });
});

function report(gateway: FakeGateway, reporter: string, messages: readonly Proved[]): Promise<{ reportId: string }> {
  return gateway.chat.reportMessages({ reason: "", messages: messages.map(({ receipt, body }) => ({ receipt, body })) }, as(reporter));
}

async function fileAndResolve(gateway: FakeGateway, reporter: string, messages: readonly Proved[], resolution: Resolution): Promise<void> {
  const { reportId } = await report(gateway, reporter, messages);
  await gateway.moderation.resolveReport({ reportId, resolution, note: "" }, asOperator());
}
