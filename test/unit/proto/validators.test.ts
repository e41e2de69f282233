import { expect } from "chai";
import type { MethodContract } from "../../../proto/contract.ts";
import { contract } from "../../../proto/gen/policy/contract.ts";
import { messages, methods } from "../../../proto/gen/policy/services.ts";
import type { Violation } from "../../../proto/method.ts";
import { encodeJson } from "../../contract/schema.ts";

describe("the validator of", () => {
  for (const method of contract) {
    it(`${method.path} passes every good request`, () => {
      const broken = method.good.map(({ title, json }) => [title, fieldsOf(violationsOf(method, encodeJson(method.request, json())))]);

      expect(Object.fromEntries(broken)).to.deep.equal(Object.fromEntries(method.good.map(({ title }) => [title, []])));
    });

    it(`${method.path} names the field of every bad request, and no other`, () => {
      const broken = method.bad.map(({ title, json }) => [title, fieldsOf(violationsOf(method, encodeJson(method.request, json())))]);

      expect(Object.fromEntries(broken)).to.deep.equal(Object.fromEntries(method.bad.map(({ title, field }) => [title, [field]])));
    });
  }

  it("every unary method is in the contract, with the same policy as in the method table", () => {
    const policies = contract.map(({ path, owner, audience, credential, route }) => ({ path, owner, audience, credential, route }));

    expect(policies).to.deep.equal(
      [...methods.values()].map(({ path, owner, audience, credential, route }) => ({ path, owner, audience, credential, route })),
    );
  });

  it("a list that is too long looks at none of its items", () => {
    const messageIds = Array.from({ length: 1001 }, () => "no UUID");

    const violations = messages.get("sallyport.chat.v1.AckMessagesRequest")?.validate({ messageIds }) ?? [];

    expect(violations.map(({ field }) => field)).to.deep.equal(["messageIds"]);
  });

  it("a response checks the values of its maps, naming the key", () => {
    const pair = { refreshToken: Buffer.alloc(1024), accessToken: Buffer.alloc(31) };
    const response = { accountId: "5a11a0de-0000-4000-8000-000000000000", created: true, tokens: { chat: pair } };

    const violations = messages.get("sallyport.account.v1.LoginResponse")?.validate(response) ?? [];

    expect(fieldsOf(violations)).to.deep.equal(["tokens[chat].accessToken"]);
  });
});

function violationsOf({ path }: MethodContract, request: Uint8Array): readonly Violation[] {
  const method = methods.get(path);
  if (method === undefined) {
    throw new Error(`no method ${path}`);
  }
  return method.validate(method.request.decode(request));
}

function fieldsOf(violations: readonly Violation[]): string[] {
  return [...new Set(violations.map(({ field }) => field))];
}
