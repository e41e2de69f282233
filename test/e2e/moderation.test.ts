import { randomUUID } from "node:crypto";
import { expect } from "chai";
import { ErrorInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { type Answer, call, connectAndConfirm, logIn, type Person } from "../support/people.ts";
import type { RawSocket } from "../support/raw-socket.ts";
import { type Stack, sharedStack } from "../support/stack.ts";

const CHAT = "sallyport.chat.v1.ChatService";
const MODERATION = "sallyport.chat.v1.ModerationService";
const NIL_UUID = "00000000-0000-0000-0000-000000000000";

interface Online {
  readonly person: Person;
  readonly accessToken: Buffer;
  readonly socket: RawSocket;
}

describe("reports and their moderation", () => {
  let stack: Stack;

  before(async () => {
    stack = await sharedStack({ SALLYPORT_LIMITS: "on", CHAT_LIMIT_REPORTS: "1/day burst 12" });
  });

  it("are filed by users, seen by operators with the messages that they prove, resolved once, and anonymous once the reporter is gone", async () => {
    const [alice, bob] = [await goOnline(stack), await goOnline(stack)];
    const messages = await converse(stack, alice, bob, ["one", "two"]);
    const filed = await call(stack.httpUrl, `${CHAT}/ReportMessages`, { reason: "rude", messages }, bob.accessToken);
    const { reportId } = filed.body;

    const open = await operate(stack, "ListReports", { state: "REPORT_STATE_OPEN" });
    const shown = await operate(stack, "GetReport", { reportId });
    const outcomes = [
      await operate(stack, "ResolveReport", { reportId, resolution: "RESOLUTION_ACCEPTED", note: "warned" }),
      await operate(stack, "ResolveReport", { reportId, resolution: "RESOLUTION_ACCEPTED" }),
      await operate(stack, "ResolveReport", { reportId, resolution: "RESOLUTION_REJECTED" }),
    ];
    const account = await connectAndConfirm(stack.httpUrl, "account", bob.person.tokens.account.refreshToken);
    await call(stack.httpUrl, "sallyport.account.v1.AccountService/DeleteAccount", {}, account.accessToken);
    const anonymous = await until(
      () => operate(stack, "GetReport", { reportId }),
      ({ body }) => (body["report"] as Record<string, unknown>)["reporterAccountId"] === NIL_UUID,
    );

    const listed = (open.body["reports"] as Record<string, unknown>[]).find((report) => report["reportId"] === reportId);
    expect(listed).to.deep.include({ reporterAccountId: bob.person.accountId, reason: "rude", messageCount: 2 });
    expect((shown.body["messages"] as { body: string }[]).map(({ body }) => Buffer.from(body, "base64").toString())).to.deep.equal([
      "one",
      "two",
    ]);
    expect(shown.body["reportedAccounts"]).to.deep.equal([{ accountId: alice.person.accountId, distinctReporters: 1 }]);
    expect(outcomes.map(({ status, body }) => [status, body["code"]])).to.deep.equal([
      [200, undefined],
      [200, undefined],
      [400, "failed_precondition"],
    ]);
    expect(JSON.stringify(anonymous.body)).to.not.include(bob.person.accountId);
    expect(anonymous.body["note"]).to.equal("warned");
    await leave(alice, bob, account);
  });

  it("are refused from whoever filed ten that were rejected, before the limit, and beyond the limit with the time to come again", async () => {
    const [alice, bob] = [await goOnline(stack), await goOnline(stack)];
    const messages = await converse(
      stack,
      alice,
      bob,
      Array.from({ length: 12 }, (_, index) => `unwanted ${index}`),
    );
    const report = (by: Online, index: number): Promise<Answer> =>
      call(stack.httpUrl, `${CHAT}/ReportMessages`, { messages: [messages[index]] }, by.accessToken);

    for (let index = 0; index < 10; index += 1) {
      const { body } = await report(bob, index);
      await operate(stack, "ResolveReport", { reportId: body["reportId"], resolution: "RESOLUTION_REJECTED" });
    }
    const suspended = await report(bob, 10);
    const byAlice = await Promise.all(messages.map((_, index) => report(alice, index)));
    const limited = await report(alice, 0);

    expect([suspended.status, suspended.body["code"], reasonOf(suspended)]).to.deep.equal([
      403,
      "permission_denied",
      "REPORTING_SUSPENDED",
    ]);
    expect(new Set(byAlice.map(({ status }) => status))).to.deep.equal(new Set([200]));
    expect([limited.status, limited.body["code"], reasonOf(limited)]).to.deep.equal([429, "resource_exhausted", "RATE_LIMITED"]);
    expect(detailsOf(limited).map(({ type }) => type)).to.include("google.rpc.RetryInfo");
    await leave(alice, bob);
  });
});

async function goOnline({ httpUrl }: Stack): Promise<Online> {
  const person = await logIn(httpUrl);
  return { person, ...(await connectAndConfirm(httpUrl, "chat", person.tokens.chat.refreshToken)) };
}

async function leave(...sockets: readonly { readonly socket: RawSocket }[]): Promise<void> {
  await Promise.all(sockets.map(({ socket }) => socket[Symbol.asyncDispose]()));
}

/** Sends messages; answers them as they are reported. */
async function converse({ httpUrl }: Stack, from: Online, to: Online, bodies: readonly string[]): Promise<readonly object[]> {
  const messages: object[] = [];
  for (const text of bodies) {
    const body = Buffer.from(text).toString("base64");
    const request = { recipientAccountId: to.person.accountId, clientMessageId: randomUUID(), body };
    const sent = await call(httpUrl, `${CHAT}/SendMessage`, request, from.accessToken);
    messages.push({ receipt: sent.body["receipt"], body });
  }
  return messages;
}

async function operate(stack: Stack, method: string, request: object): Promise<Answer> {
  const response = await fetch(`${stack.adminUrl}/${MODERATION}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${(await stack.operatorToken()).trim()}` },
    body: JSON.stringify(request),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function until(ask: () => Promise<Answer>, isSo: (answer: Answer) => boolean): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (isSo(answer)) {
      return answer;
    }
  }
}

function detailsOf({ body }: Answer): readonly { type: string; value: string }[] {
  return (body["details"] ?? []) as { type: string; value: string }[];
}

function reasonOf(answer: Answer): string | undefined {
  const info = detailsOf(answer).find(({ type }) => type === "google.rpc.ErrorInfo");
  return info && ErrorInfo.decode(Buffer.from(info.value, "base64")).reason;
}
