import { expect } from "chai";
import { SallyportError } from "../../../platform/errors.ts";
import { createClient } from "../../../platform/rpc/client.ts";
import { chatService } from "../../../proto/gen/policy/services.ts";
import { ChatStack } from "./chat-stack.ts";
import { DatabaseWay } from "./database-way.ts";
import { reportable } from "./evidence.ts";
import { as, type FakeGateway } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

const DAY_MS = 86_400_000;
/** 20 a day. */
const TOKEN_MS = 4_320_000;
/** So much may go by while a test runs. */
const SLACK_MS = 20_000;
const LIMITED = ["RESOURCE_EXHAUSTED", "RATE_LIMITED"];
const REPORT = chatService.methods.reportMessages.path;

describe("the limit of reports", () => {
  it("takes 20 at once, those that break their rules too, refuses the next and says when to come again", async () => {
    let shiftMs = 0;
    await using stack = await ChatStack.start({ shift: () => shiftMs });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const parts = await reportable(gateway, alice, bob, 1);
    const report = (reporter: string): Promise<unknown> =>
      gateway.chat.reportMessages({ reason: "", messages: parts[0] ?? [] }, as(reporter));

    const attempts = [
      ...Array.from({ length: 7 }, () => report(bob)),
      ...Array.from({ length: 6 }, () => gateway.chat.reportMessages({ reason: "", messages: [] }, as(bob))),
      ...Array.from({ length: 7 }, () => gateway.relay.invoke(REPORT, Buffer.from("0a", "hex"), as(bob))),
    ];
    const outcomes = await Promise.all(attempts.map((one) => one.then(() => "OK", statusOf)));
    const refused = await Promise.all(Array.from({ length: 5 }, () => refusalOf(report(bob))));
    const malformed = await refusalOf(gateway.relay.invoke(REPORT, Buffer.from("0a", "hex"), as(bob)));
    await report(alice);
    shiftMs += (refused[4]?.retryAfterMs ?? 0) - SLACK_MS;
    const early = await refusalOf(report(bob));
    shiftMs += SLACK_MS;
    await report(bob);
    const again = await refusalOf(report(bob));

    expect(outcomes).to.deep.equal([...Array<string>(7).fill("OK"), ...Array<string>(13).fill("INVALID_ARGUMENT")]);
    for (const { status, reason, retryAfterMs } of [...refused, malformed, again]) {
      expect([status, reason]).to.deep.equal(LIMITED);
      expect(retryAfterMs).to.be.within(TOKEN_MS - SLACK_MS, TOKEN_MS);
    }
    expect(early.retryAfterMs).to.be.within(1, SLACK_MS);
  });

  it("lets through 20 a day in the long run, however often somebody tries", async () => {
    let shiftMs = 0;
    await using stack = await ChatStack.start({ shift: () => shiftMs });
    const gateway = await stack.gateway();
    const bob = stack.invite();
    const days = 10;

    let admitted = 0;
    for (; shiftMs < days * DAY_MS; shiftMs += DAY_MS / 47) {
      admitted += (await attempt(gateway, bob)) === "INVALID_ARGUMENT" ? 1 : 0;
    }

    expect(admitted).to.be.within(20 + 20 * days - 1, 20 + 20 * days);
  });

  it("is full again after a day without reports, not fuller, and then needs no document", async () => {
    let shiftMs = 0;
    await using stack = await ChatStack.start({ shift: () => shiftMs });
    const gateway = await stack.gateway();
    const bob = stack.invite();
    await attemptAll(gateway, bob, 25);

    const [bucket] = await stack.documents("reportBuckets");
    shiftMs += 7 * DAY_MS;
    const outcomes = await attemptAll(gateway, bob, 25);

    const indexes = await stack.collection("reportBuckets").indexes();
    expect(outcomes.filter((status) => status === "INVALID_ARGUMENT")).to.have.lengthOf(20);
    expect(bucket?.["fullAt"].getTime() - Date.now()).to.be.within(DAY_MS - SLACK_MS, DAY_MS);
    expect(indexes.map(({ key, expireAfterSeconds }) => [key, expireAfterSeconds])).to.deep.include([{ fullAt: 1 }, 0]);
  });

  it("is exact when two copies are asked at once", async () => {
    await using stack = await ChatStack.start();
    await using other = await stack.anotherCopy();
    const [here, there] = [await stack.gateway(), await stack.gateway(other.address)];
    const bob = stack.invite();

    const outcomes = (await Promise.all([here, there].map((gateway) => attemptAll(gateway, bob, 30)))).flat();

    expect(outcomes.filter((status) => status === "INVALID_ARGUMENT")).to.have.lengthOf(20);
    expect(outcomes.filter((status) => status === "RESOURCE_EXHAUSTED")).to.have.lengthOf(40);
  });

  it("is what the configuration says, or none at all", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];

    await stack.stopService();
    await stack.startService({}, { reportRate: { perMs: 1 / DAY_MS, burst: 3 } });
    await gateway.connected();
    const few = await attemptAll(gateway, alice, 5);
    await stack.stopService();
    await stack.startService({}, { reportRate: undefined });
    await gateway.connected();
    const all = await attemptAll(gateway, bob, 50);

    expect(few.filter((status) => status === "INVALID_ARGUMENT")).to.have.lengthOf(3);
    expect(new Set(all)).to.deep.equal(new Set(["INVALID_ARGUMENT"]));
  });

  it("lets nobody report while the database cannot be asked", async () => {
    let way: DatabaseWay | undefined;
    await using stack = await ChatStack.start({
      database: async (uri) => {
        way = await DatabaseWay.to(uri);
        return way.uri;
      },
    });
    await using _way = way;
    const client = createClient(chatService, stack.channel());
    const bob = stack.invite();

    await way?.cut();
    const refused = await refusalOf(client.reportMessages({ reason: "", messages: [] }, as(bob)));
    await way?.open();

    expect([refused.status, refused.reason]).to.deep.equal(["UNAVAILABLE", "DATABASE_UNAVAILABLE"]);
  });
});

/** A report without messages: it breaks a rule, once it is let through. */
function attempt(gateway: FakeGateway, reporter: string): Promise<string> {
  return gateway.chat.reportMessages({ reason: "", messages: [] }, as(reporter)).then(() => "OK", statusOf);
}

function attemptAll(gateway: FakeGateway, reporter: string, count: number): Promise<string[]> {
  return Promise.all(Array.from({ length: count }, () => attempt(gateway, reporter)));
}

function statusOf(error: unknown): string {
  return error instanceof SallyportError ? error.status : "another error";
}
