import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { open, seal } from "../../../../../services/account/tokens/sealed.ts";

describe("a sealed successor", () => {
  it("opens with the token that it was sealed under", () => {
    const [token, under] = [randomBytes(1024), randomBytes(1024)];

    const sealed = seal(token, under, randomBytes(12));

    expect(open(sealed, under).equals(token)).to.equal(true);
  });

  it("is nonce, ciphertext and tag, and shows nothing of the token", () => {
    const [token, nonce] = [Buffer.alloc(1024, 5), Buffer.alloc(12, 3)];

    const sealed = seal(token, Buffer.alloc(1024, 1), nonce);

    expect(sealed.length).to.equal(12 + 1024 + 16);
    expect(sealed.subarray(0, 12).equals(nonce)).to.equal(true);
    expect(sealed.includes(token.subarray(0, 16))).to.equal(false);
  });

  it("does not open with any other token", () => {
    const sealed = seal(randomBytes(1024), randomBytes(1024), randomBytes(12));

    expect(() => open(sealed, randomBytes(1024))).to.throw();
  });

  it("does not open when it was altered anywhere", () => {
    const under = randomBytes(1024);
    const sealed = seal(randomBytes(64), under, randomBytes(12));

    for (let index = 0; index < sealed.length; index += 1) {
      const altered = Buffer.from(sealed);
      altered[index] = (altered[index] ?? 0) ^ 0x80;
      expect(() => open(altered, under), `byte ${index}`).to.throw();
    }
  });
});
