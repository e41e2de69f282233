import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { Channel } from "../../platform/rpc/channel.ts";
import { contract } from "../../proto/gen/policy/contract.ts";
import { type Stack, sharedStack } from "../support/stack.ts";
import { callerWith, createInsider, doorOf, type Insider, serverOf, tokensFor } from "./insider.ts";
import { encodeJson } from "./schema.ts";
import { overGrpc, overJson, overProto, overSocket, post } from "./ways.ts";

const UNAUTHENTICATED = { code: 16, domain: "sallyport" };
const PERMISSION_DENIED = { code: 7, domain: "sallyport" };

describe("who may call", () => {
  let stack: Stack;
  let insider: Insider;
  let channels: Record<"account" | "chat", Channel>;

  before(async () => {
    stack = await sharedStack();
    insider = await createInsider(stack.httpUrl);
    channels = { account: new Channel(stack.accountTarget), chat: new Channel(stack.chatTarget) };
  });

  after(async () => {
    await insider[Symbol.asyncDispose]();
    channels.account[Symbol.dispose]();
    channels.chat[Symbol.dispose]();
  });

  for (const method of contract) {
    const { path } = method;
    const smallest = (): Uint8Array => encodeJson(method.request, method.good[0]?.json() ?? {});
    const token = tokensFor(method.credential);

    if (method.credential !== "none") {
      it(`${path}: the service itself refuses nobody and whoever shows another token`, async () => {
        const channel = channels[serverOf(method.owner)];

        expect(await overGrpc(channel, method, smallest())).to.include(UNAUTHENTICATED);
        for (const holder of ["account", "chat"] as const) {
          if (holder !== token?.right) {
            expect(await overGrpc(channel, method, smallest(), { caller: callerWith(holder, insider) })).to.include(PERMISSION_DENIED);
          }
        }
        if (method.credential !== "operator") {
          expect(await overGrpc(channel, method, smallest(), { isOperator: true })).to.include(UNAUTHENTICATED);
        }
      });
    }

    if (method.credential !== "none" && method.audience !== "internal") {
      it(`${path}: over HTTP, without a token or with one that is not valid: 401`, async () => {
        const { url } = await doorOf(stack, method, insider);
        const others = method.audience === "operator" ? Object.values(insider.accessTokens) : [await stack.operatorToken()];
        for (const wrong of [undefined, "", "x", randomBytes(31).toString("base64"), randomBytes(32).toString("base64"), ...others]) {
          const refused = { ...UNAUTHENTICATED, httpStatus: 401 };
          expect(await overJson(url, method, method.good[0]?.json() ?? {}, wrong), wrong).to.include(refused);
          expect(await overProto(url, method, smallest(), wrong), wrong).to.include(refused);
        }
      });
    }

    if (token !== undefined && method.audience === "public") {
      it(`${path}: over HTTP, with the other service's token: 403`, async () => {
        const wrong = insider.accessTokens[token.wrong];

        const refused = { ...PERMISSION_DENIED, httpStatus: 403 };
        expect(await overJson(stack.httpUrl, method, method.good[0]?.json() ?? {}, wrong)).to.include(refused);
        expect(await overProto(stack.httpUrl, method, smallest(), wrong)).to.include(refused);
      });

      it(`${path}: on a socket of the other service: 7`, async () => {
        expect(await overSocket(insider.sockets[token.wrong], method, smallest())).to.include(PERMISSION_DENIED);
      });
    }

    it(`${path}: is not there where it is not for, whatever is shown`, async () => {
      const json = JSON.stringify(method.good[0]?.json() ?? {});
      const urls = [...(method.audience === "public" ? [] : [stack.httpUrl]), ...(method.audience === "operator" ? [] : [stack.adminUrl])];
      for (const url of urls) {
        for (const shown of [undefined, insider.accessTokens.account, insider.accessTokens.chat, await stack.operatorToken()]) {
          const response = await post(url + path, "application/json", json, shown);
          expect([response.status, ((await response.json()) as { code: string }).code], url).to.deep.equal([404, "unimplemented"]);
        }
      }
      if (method.audience !== "public") {
        expect(await overSocket(insider.sockets.account, method, smallest())).to.include({ code: 12 });
        expect(await overSocket(insider.sockets.chat, method, smallest())).to.include({ code: 12 });
      }
    });
  }
});
