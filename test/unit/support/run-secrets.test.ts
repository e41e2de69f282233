import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { keepSecret, requireNoSecret } from "../../support/run-secrets.ts";

describe("the secrets of a run", () => {
  it("are found in the log of their own gateway, and in no other", () => {
    const secret = randomBytes(32);
    keepSecret("ws://127.0.0.1:1/connect/chat", secret, Buffer.alloc(64), randomBytes(8));
    const log = `{"msg":"shown","token":"${secret.toString("base64")}"}\n${"0".repeat(128)}`;

    requireNoSecret("http://127.0.0.1:1", `{"msg":"shown"}\n${"0".repeat(128)}`);
    requireNoSecret("http://127.0.0.1:2", log);
    expect(() => requireNoSecret("http://127.0.0.1:1", log)).to.throw(/holds a token or a body, base64/);
  });
});
