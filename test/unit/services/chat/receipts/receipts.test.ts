import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { compactVerify, SignJWT } from "jose";
import type { Key } from "../../../../../platform/keys/key.ts";
import { KeyRing } from "../../../../../platform/keys/ring.ts";
import { rotateKeys } from "../../../../../platform/keys/rotation.ts";
import { orderAt } from "../../../../../services/chat/delivery/hybrid-clock.ts";
import { claimsOf, type ReceiptClaims } from "../../../../../services/chat/receipts/claims.ts";
import { createReceipts } from "../../../../../services/chat/receipts/receipts.ts";
import { signReceipt } from "../../../../../services/chat/receipts/sign.ts";
import { verifyReceipt } from "../../../../../services/chat/receipts/verify.ts";

const SECRET = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
const KEY: Key = { kid: createHash("sha256").update(SECRET).digest("hex").slice(0, 16), secret: SECRET };
const MESSAGE = {
  id: "00000000-0000-8000-8000-000000000001",
  senderId: "00000000-0000-4000-8000-00000000000a",
  recipientId: "00000000-0000-4000-8000-00000000000b",
  clientMessageId: "00000000-0000-4000-8000-00000000000c",
  order: orderAt(1_700_000_000_999),
  body: Buffer.from("hello"),
};
const HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6InJlY2VpcHQrand0Iiwia2lkIjoiNjMwZGNkMjk2NmM0MzM2NiJ9";
const CLAIMS =
  "eyJpc3MiOiJzYWxseXBvcnQiLCJpYXQiOjE3MDAwMDAwMDAsImp0aSI6IjAwMDAwMDAwLTAwMDAtODAwMC04MDAwLTAwMDAwMDAwMDAwMSIsInN1YiI6IjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwYSIsImF1ZCI6IjAwMDAwMDAwLTAwMDAtNDAwMC04MDAwLTAwMDAwMDAwMDAwYiIsImRpZyI6IkxQSk51bC13b3c0bTZEc3F4Ym5pbmhzV0hsd2ZwMEplY3dRellwT0xtQ1EifQ";

describe("receipts", () => {
  it("are these bytes, for ever", () => {
    const receipt = signReceipt(KEY, claimsOf(MESSAGE));

    expect(receipt).to.equal(`${HEADER}.${CLAIMS}.Sn2dQELKgQnbZlrA7q8_5AyakfcZGf3OO889pl9inKU`);
  });

  it("are what jose makes of the same header and claims, and takes", async () => {
    const { iss, iat, jti, sub, aud, dig } = claimsOf(MESSAGE);
    const byJose = await new SignJWT({ iss, iat, jti, sub, aud, dig })
      .setProtectedHeader({ alg: "HS256", typ: "receipt+jwt", kid: KEY.kid })
      .sign(SECRET);

    const receipt = signReceipt(KEY, claimsOf(MESSAGE));

    expect(receipt).to.equal(byJose);
    expect((await compactVerify(receipt, SECRET)).protectedHeader.kid).to.equal(KEY.kid);
  });

  it("say who sent what to whom and when, and nothing more", () => {
    expect(claimsOf(MESSAGE)).to.deep.equal({
      iss: "sallyport",
      iat: 1_700_000_000,
      jti: MESSAGE.id,
      sub: MESSAGE.senderId,
      aud: MESSAGE.recipientId,
      dig: createHash("sha256").update("hello").digest("base64url"),
    });
  });

  it("are made again to the letter after a rotation", async () => {
    await using keys = await freshKeys();
    const signed = createReceipts(await keys.ring()).sign(MESSAGE);
    await rotateKeys(keys.folder, { kinds: ["receipt"] });

    const receipts = createReceipts(await keys.ring());
    const again = await receipts.signAgain(MESSAGE, signed.receiptKid);

    expect(again).to.deep.equal(signed);
    expect(receipts.sign(MESSAGE).receiptKid).to.not.equal(signed.receiptKid);
    expect(await receipts.verify(signed.receipt)).to.deep.equal(claimsOf(MESSAGE));
  });

  it("are told from what only looks like one", async () => {
    await using keys = await freshKeys();
    const ring = await keys.ring();
    const { kid, secret } = ring.active;
    const claims = claimsOf(MESSAGE);
    const sign = (header: object, said: object): Promise<string> =>
      new SignJWT({ ...said }).setProtectedHeader({ alg: "HS256", ...header }).sign(secret);
    const typ = "receipt+jwt";

    const forgeries = [
      await sign({ typ: "JWT", kid }, claims),
      await sign({ typ }, claims),
      await sign({ typ, kid, extra: 1 }, claims),
      await sign({ typ, kid }, { ...claims, exp: 9_999_999_999 }),
      await sign({ typ, kid }, without(claims, "dig")),
      await sign({ typ, kid }, { ...claims, iss: "someone" }),
      await sign({ typ, kid }, { ...claims, iat: "1700000000" }),
      await sign({ typ, kid }, { ...claims, sub: "alice" }),
      await new SignJWT({ ...claims }).setProtectedHeader({ alg: "HS512", typ, kid }).sign(Buffer.concat([secret, secret])),
      signReceipt({ kid, secret: SECRET }, claims),
      signReceipt(KEY, claims),
      "",
      "a.b.c",
      "..",
    ];

    expect(await Promise.all(forgeries.map((forgery) => verifyReceipt(ring, forgery)))).to.deep.equal(forgeries.map(() => undefined));
    expect(await verifyReceipt(ring, signReceipt(ring.active, claims))).to.deep.equal(claims);
  });
});

async function freshKeys(): Promise<AsyncDisposable & { folder: string; ring(): Promise<KeyRing> }> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-receipts-"));
  await writeFile(join(folder, "receipt.key"), Buffer.alloc(32, 7).toString("base64"));
  return {
    folder,
    ring: () => KeyRing.open(folder, "receipt"),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

function without(claims: ReceiptClaims, name: keyof ReceiptClaims): object {
  return Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
}
