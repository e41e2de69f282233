import { randomUUID } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { chatService } from "../../proto/gen/policy/services.ts";
import { type Family, parseExposition, readValue } from "../support/exposition.ts";
import { startGatewayBeside } from "../support/gateway-process.ts";
import { operate } from "../support/operator.ts";
import { call, callOn, connectAndConfirm, logIn } from "../support/people.ts";
import { type Stack, sharedStack, startStack } from "../support/stack.ts";

const service = (method: string): string => `sallyport.account.v1.AccountService/${method}`;

async function metricsOf(stack: Pick<Stack, "adminUrl">): Promise<ReadonlyMap<string, Family>> {
  return parseExposition(await (await fetch(`${stack.adminUrl}/metrics`)).text());
}

interface Evidence {
  readonly receipt: string;
  readonly body: string;
}

/** A message that one has from the other, with the receipt that a report needs. */
async function sendEvidence(stack: Stack, text: string): Promise<{ evidence: Evidence; from: string; to: string; accessToken: Buffer }> {
  const [alice, bob] = [await logIn(stack.httpUrl), await logIn(stack.httpUrl)];
  const sender = await connectAndConfirm(stack.httpUrl, "chat", alice.tokens.chat.refreshToken);
  const reader = await connectAndConfirm(stack.httpUrl, "chat", bob.tokens.chat.refreshToken);
  const message = { recipientAccountId: bob.accountId, clientMessageId: randomUUID(), body: Buffer.from(text) };
  const { receipt } = await callOn(sender.socket, chatService.methods.sendMessage, message);
  await sender.socket[Symbol.asyncDispose]();
  const evidence = { receipt, body: message.body.toString("base64") };
  return { evidence, from: alice.accountId, to: bob.accountId, accessToken: reader.accessToken };
}

describe("an operator", () => {
  it("finds an account by its id and by its name, and ends its sessions: sockets are closed with 4401, tokens are refused", async () => {
    const stack = await sharedStack();
    const alice = await logIn(stack.httpUrl);
    const online = await connectAndConfirm(stack.httpUrl, "account", alice.tokens.account.refreshToken);

    const byId = await operate(stack, "AdminService/FindAccount", { accountId: alice.accountId });
    const byName = await operate(stack, "AdminService/FindAccount", { devName: alice.name });
    const ended = await operate(stack, "AdminService/EndSessions", { accountId: alice.accountId });
    const { code } = await online.socket.closed();
    const used = await call(stack.httpUrl, service("GetAccount"), {}, online.accessToken);
    const after = await operate(stack, "AdminService/FindAccount", { accountId: alice.accountId });

    expect(byId.body).to.include({ accountId: alice.accountId, sessionCount: 1 });
    expect(byName.body).to.deep.equal(byId.body);
    expect([ended.status, ended.body, code, used.status]).to.deep.equal([200, {}, 4401, 401]);
    expect(after.body).to.not.have.property("sessionCount");
  });

  it("is told that there is no such account", async () => {
    const stack = await sharedStack();

    const answers = await Promise.all(
      ["FindAccount", "SetAccountLocked", "EndSessions"].map((method) =>
        operate(stack, `AdminService/${method}`, { accountId: randomUUID() }),
      ),
    );

    expect(answers.map(({ status, body }) => `${status} ${body["code"] as string}`)).to.deep.equal(answers.map(() => "404 not_found"));
  });

  it("locks an account at one gateway, and its sockets are closed at all of them", async () => {
    const stack = await sharedStack();
    await using beside = await startGatewayBeside(stack);
    const alice = await logIn(stack.httpUrl);
    const here = await connectAndConfirm(stack.httpUrl, "account", alice.tokens.account.refreshToken);
    const there = await connectAndConfirm(beside.httpUrl, "chat", alice.tokens.chat.refreshToken);

    const locked = await operate(beside, "AdminService/SetAccountLocked", { accountId: alice.accountId, locked: true });
    const closes = [await here.socket.closed(), await there.socket.closed()];
    const login = await call(beside.httpUrl, service("Login"), { dev: { name: alice.name } });
    const used = await call(stack.httpUrl, service("GetAccount"), {}, here.accessToken);
    const found = await operate(stack, "AdminService/FindAccount", { accountId: alice.accountId });

    expect(locked.status).to.equal(200);
    expect(closes.map(({ code }) => code)).to.deep.equal([4401, 4401]);
    expect([login.status, login.body["code"], used.status]).to.deep.equal([403, "permission_denied", 401]);
    expect(found.body).to.include({ locked: true });
  });

  it("finds a filed report in the list, reads it as a conversation, and resolves it once", async () => {
    const stack = await sharedStack();
    const first = await sendEvidence(stack, "first of two");
    const filed = await call(
      stack.httpUrl,
      "sallyport.chat.v1.ChatService/ReportMessages",
      { reason: "insult", messages: [first.evidence] },
      first.accessToken,
    );
    const reportId = filed.body["reportId"] as string;
    const idsIn = async (state: string): Promise<unknown[]> => {
      const { body } = await operate(stack, "ModerationService/ListReports", { state, pageSize: 200 });
      return ((body["reports"] ?? []) as { reportId: string }[]).map((report) => report.reportId);
    };

    const open = await idsIn("REPORT_STATE_OPEN");
    const read = await operate(stack, "ModerationService/GetReport", { reportId });
    const resolve = (resolution: string): ReturnType<typeof operate> =>
      operate(stack, "ModerationService/ResolveReport", { reportId, resolution, note: "warned" });
    const answers = [await resolve("RESOLUTION_ACCEPTED"), await resolve("RESOLUTION_ACCEPTED"), await resolve("RESOLUTION_REJECTED")];

    const { receipt: _receipt, body } = first.evidence;
    const [message] = read.body["messages"] as Record<string, unknown>[];
    expect(open[0]).to.equal(reportId);
    expect(read.body["report"]).to.include({
      reportId,
      reporterAccountId: first.to,
      reason: "insult",
      state: "REPORT_STATE_OPEN",
      messageCount: 1,
    });
    expect(message).to.include({ senderAccountId: first.from, recipientAccountId: first.to, body });
    expect(answers.map(({ status, body: answer }) => `${status} ${(answer["code"] ?? "") as string}`)).to.deep.equal([
      "200 ",
      "200 ",
      "400 failed_precondition",
    ]);
    expect(await idsIn("REPORT_STATE_OPEN")).to.not.include(reportId);
    expect(await idsIn("REPORT_STATE_RESOLVED")).to.include(reportId);
  });

  it("sees in the metrics what happened, in every process", async () => {
    await using stack = await startStack();
    const { evidence, accessToken } = await sendEvidence(stack, "counted");
    const report = { messages: [evidence] };
    const { body } = await call(stack.httpUrl, "sallyport.chat.v1.ChatService/ReportMessages", report, accessToken);
    await operate(stack, "ModerationService/ResolveReport", { reportId: body["reportId"], resolution: "RESOLUTION_REJECTED" });

    const families = await metricsOf(stack);

    expect({
      up: families.get("sallyport_scrape_up")?.samples.map(({ labels, value }) => `${labels["role"]} ${labels["copy"]} ${value}`),
      logins: readValue(families, "sallyport_logins_total", { role: "account", credential: "dev" }),
      minted: readValue(families, "sallyport_judgements_total", { role: "account", judgement: "minted" }),
      sends: readValue(families, "sallyport_rpc_calls_total", { role: "chat", method: chatService.methods.sendMessage.path, status: "OK" }),
      filed: readValue(families, "sallyport_reports_filed_total", { role: "chat" }),
      resolved: readValue(families, "sallyport_reports_resolved_total", { role: "chat", resolution: "rejected" }),
      completed: readValue(families, "sallyport_exchanges_total", { role: "gateway", outcome: "completed" }),
      lagKnownOf: families.get("nodejs_eventloop_lag_p99_seconds")?.samples.map(({ labels }) => labels["role"]),
    }).to.deep.equal({
      up: [`account ${stack.accountTarget} 1`, `chat ${stack.chatTarget} 1`],
      ...{ logins: 2, minted: 2, sends: 1, filed: 1, resolved: 1, completed: 2 },
      lagKnownOf: ["gateway", "account", "chat"],
    });
  });
});

describe("the operator token of a gateway", () => {
  it("is a file for its owner alone, stays what it is over a restart, and can be replaced while everything runs", async () => {
    const stack = await startStack();
    const file = join(stack.dataDirectory, "operator-token");
    const [first, { mode }] = [await readFile(file, "utf8"), await stat(file)];
    stack.launcher.kill("SIGTERM");
    await new Promise((resolve) => stack.launcher.once("exit", resolve));

    await using again = await startStack({ inPlaceOf: stack });
    const afterRestart = await operate(again, "ModerationService/ListReports", {});
    await writeFile(file, "n".repeat(43));
    const statusWith = async (token: string): Promise<number> =>
      (await operate({ ...again, operatorToken: async () => token }, "ModerationService/ListReports", {})).status;
    while ((await statusWith("n".repeat(43))) !== 200) {
      // Until the gateway has looked at the file again.
    }

    expect(first).to.match(/^[A-Za-z0-9_-]{43}$/);
    expect(mode & 0o777).to.equal(0o600);
    expect([afterRestart.status, await statusWith(first)]).to.deep.equal([200, 401]);
  });

  it("stops the start with one message that names the variable when its file has none", async () => {
    const stack = await sharedStack();

    const error = await startGatewayBeside(stack, { GATEWAY_OPERATOR_TOKEN_FILE: "/nowhere/token" }).catch((thrown: Error) => thrown);

    expect((error as Error).message).to.match(
      /^sallyport: wrong configuration:\n {2}GATEWAY_OPERATOR_TOKEN_FILE: there is no operator token \(ENOENT.*\)\n$/,
    );
  });
});
