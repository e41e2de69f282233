import { expect } from "chai";
import { upgradeKind } from "../../../gateway/upgrade-request.ts";

const GOOD = {
  upgrade: ["websocket"],
  connection: ["Upgrade"],
  "sec-websocket-version": ["13"],
  "sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ=="],
};

function kindOf(changes: Readonly<Record<string, readonly string[]>> = {}): string {
  const headers: Readonly<Record<string, readonly string[]>> = { ...GOOD, ...changes };
  return upgradeKind((name) => headers[name] ?? []);
}

describe("a request for a WebSocket", () => {
  it("is one in any case and among other items, as proxies write it", () => {
    expect(kindOf()).to.equal("good");
    expect(kindOf({ connection: ["keep-alive, Upgrade"], upgrade: ["WebSocket"] })).to.equal("good");
    expect(kindOf({ connection: ["keep-alive", "UPGRADE"] })).to.equal("good");
    expect(kindOf({ "content-length": ["0"] })).to.equal("good");
  });

  for (const [title, changes] of [
    ["no upgrade", { upgrade: [] }],
    ["an upgrade to something else", { upgrade: ["h2c"] }],
    ["a connection that is not upgraded", { connection: ["keep-alive"] }],
    ["no key", { "sec-websocket-key": [] }],
    ["two keys", { "sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="] }],
    ["a key of 24 characters that are no base64", { "sec-websocket-key": ["!".repeat(24)] }],
    ["a key of 17 bytes", { "sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZWU="] }],
    ["a body", { "content-length": ["2"] }],
    ["a body in chunks", { "transfer-encoding": ["chunked"] }],
  ] as const) {
    it(`is none with ${title}`, () => {
      expect(kindOf(changes)).to.equal("none");
    });
  }

  it("is one in another version where only that is wrong", () => {
    for (const versions of [["8"], ["14"], [], ["13", "8"], ["13, 8"]]) {
      expect(kindOf({ "sec-websocket-version": versions }), versions.join()).to.equal("other-version");
    }
    expect(kindOf({ "sec-websocket-version": ["8"], upgrade: [] })).to.equal("none");
  });
});
