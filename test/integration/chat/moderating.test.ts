import { expect } from "chai";
import type { Document } from "mongodb";
import { derivedUuid, newUuid } from "../../../platform/ids.ts";
import { type Report, ReportState, Resolution } from "../../../proto/gen/sallyport/chat/v1/moderation.ts";
import { ChatStack } from "./chat-stack.ts";
import { converse, evidence } from "./evidence.ts";
import { as, asOperator, type FakeGateway } from "./fake-gateway.ts";
import { refusalOf } from "./refusal.ts";

const ANY = { state: ReportState.UNSPECIFIED, pageSize: 0, pageToken: "" };

describe("moderating reports", () => {
  it("lists what was filed, newest first, and shows each with its conversation and who else reported the other side", async () => {
    let time = 1_767_225_600_000;
    await using stack = await ChatStack.start({ atRest: "aes-256-gcm", now: () => time++ });
    const gateway = await stack.gateway();
    const [alice, bob, carol] = [stack.invite(), stack.invite(), stack.invite()];
    const said = await converse(gateway, alice, bob, ["first", "second"]);
    const answered = await converse(gateway, bob, alice, ["stop that"]);
    const toCarol = await converse(gateway, alice, carol, ["third"]);
    const messages = evidence([...said, ...answered]);
    const byBob = await gateway.chat.reportMessages({ reason: "rude", messages }, as(bob));
    const again = await gateway.chat.reportMessages({ reason: "rude too", messages: messages.slice(0, 1) }, as(bob));
    const byCarol = await gateway.chat.reportMessages({ reason: "", messages: evidence(toCarol) }, as(carol));

    const { reports, nextPageToken } = await gateway.moderation.listReports(ANY, asOperator());
    const shown = await gateway.moderation.getReport({ reportId: byBob.reportId.toUpperCase() }, asOperator());

    expect(reports.map(({ reportId }) => reportId)).to.deep.equal([byCarol, again, byBob].map(({ reportId }) => reportId));
    expect(nextPageToken).to.equal("");
    expect(reports[2]).to.deep.include({ reporterAccountId: bob, reason: "rude", messageCount: 3 });
    expect(reports[2]).to.deep.include({ state: ReportState.OPEN, resolution: Resolution.UNSPECIFIED });
    expect(reports[2]?.createdAt).to.be.greaterThan(new Date(1_767_225_600_000));
    expect(shown.report).to.deep.equal(reports[2]);
    expect(shown.messages.map(({ body }) => body.toString())).to.deep.equal(["first", "second", "stop that"]);
    expect(shown.messages.map((one) => [one.messageId, one.senderAccountId, one.recipientAccountId])).to.deep.equal([
      ...said.map(({ id }) => [id, alice, bob]),
      [answered[0]?.id, bob, alice],
    ]);
    expect(shown.messages[0]?.sentAt).to.deep.equal(new Date(1_767_225_600_000));
    expect(shown.reportedAccounts).to.deep.equal([{ accountId: alice, distinctReporters: 2 }]);
    expect(shown.note).to.equal("");
  });

  it("shows a report of which one body cannot be opened, and says which", async () => {
    await using stack = await ChatStack.start({ atRest: "aes-256-gcm" });
    const gateway = await stack.gateway();
    const [alice, bob] = [stack.invite(), stack.invite()];
    const said = await converse(gateway, alice, bob, ["first", "second"]);
    const { reportId } = await gateway.chat.reportMessages({ reason: "", messages: evidence(said) }, as(bob));
    await stack.collection("reports").updateMany({}, { $set: { "messages.0.sealed.kid": "gone" } });

    const { messages } = await gateway.moderation.getReport({ reportId }, asOperator());

    expect(messages.map(({ body, unreadable }) => [body.toString(), unreadable])).to.deep.equal([
      ["", true],
      ["second", false],
    ]);
  });

  it("resolves a report once; the same again is fine and changes nothing, another resolution is refused", async () => {
    let time = 1_767_225_600_000;
    await using stack = await ChatStack.start({ now: () => time });
    const gateway = await stack.gateway();
    const [reportId, other] = [await fileOne(stack, gateway), await fileOne(stack, gateway)];
    const resolve = (resolution: Resolution, note: string): Promise<unknown> =>
      gateway.moderation.resolveReport({ reportId, resolution, note }, asOperator());

    time += 1_000;
    await resolve(Resolution.ACCEPTED, "warned");
    time += 1_000;
    await resolve(Resolution.ACCEPTED, "warned again");
    const refused = await refusalOf(resolve(Resolution.REJECTED, "changed my mind"));

    const shown = await gateway.moderation.getReport({ reportId }, asOperator());
    const [open, resolved] = await Promise.all(
      [ReportState.OPEN, ReportState.RESOLVED].map((state) => gateway.moderation.listReports({ ...ANY, state }, asOperator())),
    );
    const stored = (await stack.documents("reports")).find(({ _id }) => _id === reportId);
    expect([refused.status, refused.reason]).to.deep.equal(["FAILED_PRECONDITION", "REPORT_RESOLVED_OTHERWISE"]);
    expect([shown.note, shown.report?.state, shown.report?.resolution]).to.deep.equal([
      "warned",
      ReportState.RESOLVED,
      Resolution.ACCEPTED,
    ]);
    expect(stored?.["resolvedAt"]).to.deep.equal(new Date(1_767_225_601_000));
    expect([open, resolved].map((list) => list?.reports.map((report) => report.reportId))).to.deep.equal([[other], [reportId]]);
  });

  it("lets one of two moderators decide who decide differently at once", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const reportId = await fileOne(stack, gateway);
    const wanted = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? Resolution.ACCEPTED : Resolution.REJECTED));

    const outcomes = await Promise.all(
      wanted.map((resolution) =>
        gateway.moderation.resolveReport({ reportId, resolution, note: String(resolution) }, asOperator()).then(
          () => resolution,
          () => undefined,
        ),
      ),
    );

    const { report, note } = await gateway.moderation.getReport({ reportId }, asOperator());
    expect(new Set(outcomes)).to.deep.equal(new Set([report?.resolution, undefined]));
    expect(outcomes.filter((outcome) => outcome !== undefined)).to.have.lengthOf(10);
    expect(note).to.equal(String(report?.resolution));
  });

  it("knows no report that is not there, and nobody but an operator", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const reportId = await fileOne(stack, gateway);
    const { moderation } = gateway;
    const verdict = { resolution: Resolution.ACCEPTED, note: "" };

    const unknown = await Promise.all(
      [
        moderation.getReport({ reportId: newUuid() }, asOperator()),
        moderation.resolveReport({ reportId: newUuid(), ...verdict }, asOperator()),
      ].map(refusalOf),
    );
    const calls = (options: ReturnType<typeof as>): Promise<unknown>[] => [
      moderation.listReports(ANY, options),
      moderation.getReport({ reportId }, options),
      moderation.resolveReport({ reportId, ...verdict }, options),
    ];
    const refused = await Promise.all(calls(as(stack.invite())).map(refusalOf));

    expect(unknown.map(({ status, reason }) => [status, reason])).to.deep.equal(Array(2).fill(["NOT_FOUND", "REPORT_NOT_FOUND"]));
    expect(refused.map(({ status }) => status)).to.deep.equal(Array(3).fill("PERMISSION_DENIED"));
  });

  it("pages through all of 450 reports, each once and in order, while others are filed", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    const reports = Array.from({ length: 450 }, (_, index) => reportAt(index, 1_767_225_600_000 + Math.floor(index / 7)));
    await stack.collection("reports").insertMany(reports as never[]);
    const expected = [...reports].sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (b._id < a._id ? -1 : 1));

    const sizes: number[] = [];
    const seen: Report[] = [];
    for (let pageToken = ""; sizes.length === 0 || (pageToken !== "" && sizes.length < 9); ) {
      const page = await gateway.moderation.listReports({ ...ANY, pageToken, pageSize: sizes.length === 0 ? 0 : 200 }, asOperator());
      sizes.push(page.reports.length);
      seen.push(...page.reports);
      pageToken = page.nextPageToken;
      await stack.collection("reports").insertMany([1, 2, 3].map((index) => reportAt(1_000 * sizes.length + index, Date.now())) as never[]);
    }

    expect(sizes).to.deep.equal([50, 200, 200]);
    expect(seen.map(({ reportId }) => reportId)).to.deep.equal(expected.map(({ _id }) => _id));
    const open = await gateway.moderation.listReports({ ...ANY, state: ReportState.OPEN, pageSize: 200 }, asOperator());
    const older = await gateway.moderation.listReports(
      { state: ReportState.OPEN, pageSize: 200, pageToken: open.nextPageToken },
      asOperator(),
    );
    expect([...open.reports, ...older.reports].every(({ state }) => state === ReportState.OPEN)).to.equal(true);
    expect([open.reports.length, older.reports.length, older.nextPageToken]).to.deep.equal([200, 28, ""]);
  });

  it("refuses a page token that is none of its own, or of another list, and a state that is not declared", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    await stack.collection("reports").insertMany([1, 2].map((index) => reportAt(index, index)) as never[]);
    const { nextPageToken } = await gateway.moderation.listReports({ ...ANY, pageSize: 1 }, asOperator());
    const list = (change: object): Promise<unknown> => gateway.moderation.listReports({ ...ANY, ...change }, asOperator());

    await list({ pageToken: nextPageToken });
    const refused = await Promise.all(
      [
        ...["x", newUuid(), nextPageToken.slice(1), `${nextPageToken}=`, "é".repeat(256)].map((pageToken) => ({ pageToken })),
        { pageToken: nextPageToken, state: ReportState.OPEN },
        { state: 3 },
      ].map((change) => refusalOf(list(change))),
    );

    expect(nextPageToken).to.not.equal("");
    expect(refused.map(({ status, violations }) => `${status} ${violations.map(({ field }) => field).join()}`)).to.deep.equal([
      ...Array<string>(6).fill("INVALID_ARGUMENT pageToken"),
      "INVALID_ARGUMENT state",
    ]);
  });

  it("reads no evidence and sorts nothing for lists, for counting reporters and for judging a reporter", async () => {
    await using stack = await ChatStack.start();
    const gateway = await stack.gateway();
    await stack.collection("reports").insertMany(Array.from({ length: 300 }, (_, index) => reportAt(index, index)) as never[]);
    const reportId = await fileOne(stack, gateway);

    await stack.command({ profile: 2 });
    for (const state of [ReportState.UNSPECIFIED, ReportState.OPEN, ReportState.RESOLVED]) {
      const { nextPageToken } = await gateway.moderation.listReports({ ...ANY, state }, asOperator());
      await gateway.moderation.listReports({ state, pageSize: 50, pageToken: nextPageToken }, asOperator());
    }
    await gateway.moderation.getReport({ reportId }, asOperator());
    await fileOne(stack, gateway);
    await stack.command({ profile: 0 });

    const queries = (await stack.documents("system.profile")).filter(isQueryForMany);
    expect(queries).to.have.lengthOf(11);
    expect(queries.map((query) => [query["docsExamined"], query["hasSortStage"] ?? false])).to.deep.equal(Array(11).fill([0, false]));
    expect(Math.max(...queries.map((query) => query["keysExamined"] as number))).to.be.lessThan(60);
  });
});

/** Reads of reports, those of one by its id aside. */
function isQueryForMany({ ns, op, command }: Document): boolean {
  const isRead = (op === "query" || op === "command") && (command.find !== undefined || command.aggregate !== undefined);
  return isRead && String(ns).endsWith(".reports") && typeof command.filter?._id !== "string";
}

/** A new account reports a message of another one. */
async function fileOne(stack: ChatStack, gateway: FakeGateway): Promise<string> {
  const [sender, reporter] = [stack.invite(), stack.invite()];
  const messages = evidence(await converse(gateway, sender, reporter, ["unwanted"]));
  return (await gateway.chat.reportMessages({ reason: "", messages }, as(reporter))).reportId;
}

/** A report as it is stored; every other one is resolved. */
function reportAt(index: number, createdAt: number): { _id: string; createdAt: Date } & Document {
  const reporterId = derivedUuid(`reporter ${index % 9}`);
  const resolved = { state: "resolved", resolution: "rejected", note: "", resolvedAt: new Date(createdAt) };
  return {
    ...{ _id: derivedUuid(`report ${index}`), reporterId, reporterKey: reporterId, reason: `reason ${index}` },
    ...{ createdAt: new Date(createdAt), state: "open", reportedIds: [derivedUuid("reported")], messageCount: 0, messages: [] },
    ...(index % 2 === 0 ? {} : resolved),
  };
}
