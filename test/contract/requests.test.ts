import { expect } from "chai";
import { Channel } from "../../platform/rpc/channel.ts";
import type { MethodContract, RequestSample } from "../../proto/contract.ts";
import { contract } from "../../proto/gen/policy/contract.ts";
import { messages } from "../../proto/gen/policy/services.ts";
import { type Stack, sharedStack } from "../support/stack.ts";
import { createInsider, doorOf, type Insider, identityFor, serverOf } from "./insider.ts";
import type { Outcome } from "./outcome.ts";
import { encodeJson } from "./schema.ts";
import { overGrpc, overJson, overProto, overSocket } from "./ways.ts";
import { UNKNOWN_FIELD } from "./wire-format.ts";

/** Methods whose every good request is answered OK, whoever calls. */
const ALWAYS_OK = new Set(
  [
    ["account.v1.AccountService", "GetAccount", "ListSessions", "Logout", "LogoutEverywhere", "ListSecurityEvents", "DeleteAccount"],
    ["account.v1.DirectoryService", "FilterAccounts"],
    ["chat.v1.ChatService", "ListPending", "AckMessages", "GetMessageStates", "UnblockAccount", "ListBlockedAccounts"],
    ["chat.v1.ErasureService", "EraseAccount"],
    ["relay.v1.LeaseService", "RenewLease", "EndLease"],
    ["relay.v1.MetricsService", "ReadMetrics"],
  ].flatMap(([service, ...names]) => names.map((name) => `/sallyport.${service}/${name}`)),
);

/** Methods that end the caller's session: each call takes a caller of its own, so only the smallest request is sent. */
const ENDS_SESSION = /\/(Logout|LogoutEverywhere|DeleteAccount)$/;

/** Fields that a service judges beyond their rules: whatever keeps these may still be refused for what it means. */
const JUDGED_FURTHER: Readonly<Record<string, RegExp>> = {
  "/sallyport.account.v1.AccountService/Login": /^oidc\.provider$/,
  "/sallyport.account.v1.AccountService/LinkIdentity": /^oidc\.provider$/,
  "/sallyport.account.v1.TokenService/PresentRefreshToken": /^service$/,
  "/sallyport.account.v1.TokenService/ConfirmRefreshToken": /^service$/,
  "/sallyport.account.v1.TokenService/CheckAccessToken": /^service$/,
  "/sallyport.account.v1.TokenService/ListRevocations": /^cursor$/,
  "/sallyport.chat.v1.ChatService/ReportMessages": /^messages\[\d+\]\.receipt$/,
  "/sallyport.chat.v1.ModerationService/ListReports": /^pageToken$/,
};

/** What a good request is never answered with: INVALID_ARGUMENT, UNIMPLEMENTED, INTERNAL. */
const NEVER = [3, 12, 13];

describe("a request that keeps the rules is not refused for its form, and its answer keeps them too", () => {
  let stack: Stack;
  let channels: Record<"account" | "chat", Channel>;

  before(async () => {
    stack = await sharedStack();
    channels = { account: new Channel(stack.accountTarget), chat: new Channel(stack.chatTarget) };
  });

  after(() => {
    channels.account[Symbol.dispose]();
    channels.chat[Symbol.dispose]();
  });

  for (const method of contract) {
    it(`by the service itself: ${method.path}`, async () => {
      await using insider = await createInsider(stack.httpUrl);
      const identity = identityFor(method.credential, insider);

      for (const { title, json } of samplesOf(method)) {
        const request = encodeJson(method.request, json());
        for (const variant of ENDS_SESSION.test(method.path) ? [request] : withUnknownFields(request)) {
          expectAccepted(method, title, await overGrpc(channels[serverOf(method.owner)], method, variant, identity));
        }
      }
    });

    if (method.audience !== "internal") {
      it(`from outside, in every way: ${method.path}`, async () => {
        for (const call of method.audience === "public" ? [overHttpJson, overHttpProto, onSocket] : [overHttpJson, overHttpProto]) {
          await using insider = await createInsider(stack.httpUrl);
          for (const { title, json } of samplesOf(method)) {
            expectAccepted(method, title, await call(stack, insider, method, json));
          }
        }
      });
    }
  }
});

type Json = RequestSample["json"];

async function overHttpJson(stack: Stack, insider: Insider, method: MethodContract, json: Json): Promise<Outcome> {
  const { url, token } = await doorOf(stack, method, insider);
  return overJson(url, method, { unknownField: { whatever: [1] }, ...json() }, token);
}

async function overHttpProto(stack: Stack, insider: Insider, method: MethodContract, json: Json): Promise<Outcome> {
  const { url, token } = await doorOf(stack, method, insider);
  return overProto(url, method, Buffer.concat([encodeJson(method.request, json()), UNKNOWN_FIELD]), token);
}

function onSocket(_stack: Stack, insider: Insider, method: MethodContract, json: Json): Promise<Outcome> {
  const request = Buffer.concat([encodeJson(method.request, json()), UNKNOWN_FIELD]);
  return overSocket(insider.sockets[serverOf(method.owner)], method, request);
}

function samplesOf({ path, good }: MethodContract): readonly RequestSample[] {
  return ENDS_SESSION.test(path) ? good.slice(0, 1) : good;
}

function withUnknownFields(request: Uint8Array): readonly Uint8Array[] {
  return [request, Buffer.concat([request, UNKNOWN_FIELD]), Buffer.concat([UNKNOWN_FIELD, request])];
}

function expectAccepted(method: MethodContract, title: string, outcome: Outcome): void {
  const facts = `${method.path}, ${title}: ${JSON.stringify({ ...outcome, response: undefined })}`;
  const judged =
    outcome.code === 3 && outcome.fields.length > 0 && outcome.fields.every((field) => JUDGED_FURTHER[method.path]?.test(field));
  if (!judged) {
    expect(NEVER, facts).to.not.include(outcome.code);
  }
  if (ALWAYS_OK.has(method.path)) {
    expect(outcome.code, facts).to.equal(0);
  }
  if (outcome.response === undefined) {
    expect(outcome.domain, facts).to.equal("sallyport");
    expect(outcome.reason, facts).to.match(/^[A-Z][A-Z0-9_]*$/);
    return;
  }
  const message = messages.get(method.response);
  expect(message?.validate(message.codec.decode(outcome.response)), facts).to.deep.equal([]);
}
