import { createHash } from "node:crypto";
import { expect } from "chai";
import { parseUuid } from "../../../../../platform/ids.ts";
import { makeRefreshToken, readRefreshToken } from "../../../../../services/account/tokens/refresh-token.ts";

const SECRET = Buffer.alloc(32, 7);
const HEAD = { sessionId: parseUuid("00112233-4455-6677-8899-aabbccddeeff"), generation: 0x01020304 };
const RANDOM = Buffer.alloc(972, 0xa5);

describe("a refresh token", () => {
  it("is session id, generation, random bytes and MAC, to the byte", () => {
    const token = makeRefreshToken(HEAD, RANDOM, SECRET, "chat");

    expect(token.length).to.equal(1024);
    expect(token.toString("hex", 0, 20)).to.equal("00112233445566778899aabbccddeeff01020304");
    expect(token.subarray(20, 992).equals(RANDOM)).to.equal(true);
    expect(token.toString("hex", 992)).to.equal("16630583a2903806170532b7d1feaf057fb0c4b9e8b35eee430633fa61a6c9c5");
    expect(createHash("sha256").update(token).digest("hex")).to.equal("4c88c747b741f490d770a0ba38cceae1188d14acc138530cf5f32b77d580b00d");
  });

  it("reads back what it was made from", () => {
    const token = makeRefreshToken(HEAD, RANDOM, SECRET, "chat");

    const head = readRefreshToken(token, [Buffer.alloc(32, 1), SECRET], "chat");

    expect(head).to.deep.equal(HEAD);
  });

  it("reads from the middle of a larger buffer", () => {
    const around = Buffer.concat([Buffer.alloc(5, 9), makeRefreshToken(HEAD, RANDOM, SECRET, "chat"), Buffer.alloc(5, 9)]);

    const head = readRefreshToken(around.subarray(5, 1029), [SECRET], "chat");

    expect(head).to.deep.equal(HEAD);
  });

  it("is garbage to the other service", () => {
    const token = makeRefreshToken(HEAD, RANDOM, SECRET, "chat");

    expect(readRefreshToken(token, [SECRET], "account")).to.equal(undefined);
  });

  it("is garbage to another key, and where there is none", () => {
    const token = makeRefreshToken(HEAD, RANDOM, SECRET, "chat");

    expect(readRefreshToken(token, [Buffer.alloc(32, 8)], "chat")).to.equal(undefined);
    expect(readRefreshToken(token, [], "chat")).to.equal(undefined);
  });

  it("is garbage when any one of its bytes is another", () => {
    const token = makeRefreshToken(HEAD, RANDOM, SECRET, "chat");

    for (let index = 0; index < token.length; index += 1) {
      const altered = Buffer.from(token);
      altered[index] = (altered[index] ?? 0) ^ 1;
      expect(readRefreshToken(altered, [SECRET], "chat"), `byte ${index}`).to.equal(undefined);
    }
  });

  it("is garbage when it is shorter, longer or empty", () => {
    const token = makeRefreshToken(HEAD, RANDOM, SECRET, "chat");

    for (const other of [token.subarray(0, 1023), Buffer.concat([token, Buffer.alloc(1)]), Buffer.alloc(0), token.subarray(992)]) {
      expect(readRefreshToken(other, [SECRET], "chat")).to.equal(undefined);
    }
  });
});
