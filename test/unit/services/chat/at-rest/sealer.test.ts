import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { KeyRing } from "../../../../../platform/keys/ring.ts";
import { decipher, encipher } from "../../../../../services/chat/at-rest/aes-gcm.ts";
import { shiftBytes } from "../../../../../services/chat/at-rest/caesar.ts";
import { createSealer, type Sealed } from "../../../../../services/chat/at-rest/sealer.ts";

const BODY = Buffer.from("a body of some length");

describe("bodies at rest", () => {
  it("are shifted by one amount from 1 to 255, and back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.integer({ min: 1, max: 255 }), (bytes, shift) => {
        const shifted = shiftBytes(bytes, shift);
        return shiftBytes(shifted, 256 - shift).equals(Buffer.from(bytes)) && shifted.every((byte, at) => byte !== bytes[at]);
      }),
    );
    expect([...shiftBytes(Buffer.from([0, 1, 254, 255]), 3)]).to.deep.equal([3, 4, 1, 2]);
  });

  it("open by AES-256-GCM with the same key, nonce, message and tag only", () => {
    const [key, nonce] = [Buffer.alloc(32, 1), Buffer.alloc(12, 2)];
    const { body, tag } = encipher(key, nonce, "m1", BODY);

    expect(decipher(key, nonce, "m1", body, tag).equals(BODY)).to.equal(true);
    expect(() => decipher(Buffer.alloc(32, 9), nonce, "m1", body, tag)).to.throw();
    expect(() => decipher(key, Buffer.alloc(12, 9), "m1", body, tag)).to.throw();
    expect(() => decipher(key, nonce, "m2", body, tag)).to.throw();
    expect(() => decipher(key, nonce, "m1", shiftBytes(body, 1), tag)).to.throw();
    expect(() => decipher(key, nonce, "m1", body, tag.subarray(0, 4))).to.throw();
  });

  it("stay readable when scheme and key change, and not without their key", async () => {
    await using folder = await keysOf({ "at-rest.key": 1, "other.key": 2 });
    const first = await KeyRing.open(folder.path, "at-rest");
    const second = await KeyRing.open(folder.path, "at-rest", join(folder.path, "other.key"));
    const caesar = createSealer("caesar", first).seal("m", BODY);
    const older = createSealer("aes-256-gcm", first).seal("m", BODY);
    const newer = createSealer("aes-256-gcm", second).seal("m", BODY);

    const { open } = createSealer("caesar", second);
    const opened = await Promise.all([caesar, older, newer].map((sealed) => open("m", sealed)));
    const refused = await createSealer("caesar", first)
      .open("m", newer)
      .catch((error: Error) => error.message);

    expect(opened.every((body) => body.equals(BODY))).to.equal(true);
    expect(kidOf(older)).to.not.equal(kidOf(newer));
    expect(refused).to.equal(`no at-rest key ${kidOf(newer)}`);
  });

  it("never use a nonce twice, and use every shift but none", async () => {
    await using folder = await keysOf({ "at-rest.key": 1 });
    const ring = await KeyRing.open(folder.path, "at-rest");
    const sealers = [createSealer("aes-256-gcm", ring), createSealer("caesar", ring)] as const;

    const nonces = Array.from({ length: 200 }, () => sealers[0].seal("m", BODY)).map((sealed) => nonceOf(sealed));
    const shifts = Array.from({ length: 5_000 }, () => sealers[1].seal("m", BODY)).map((sealed) => shiftOf(sealed));

    expect(new Set(nonces).size).to.equal(200);
    expect([Math.min(...shifts), Math.max(...shifts)]).to.deep.equal([1, 255]);
  });
});

async function keysOf(files: Record<string, number>): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), "sallyport-at-rest-"));
  for (const [name, byte] of Object.entries(files)) {
    await writeFile(join(path, name), Buffer.alloc(32, byte).toString("base64"));
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

function kidOf(sealed: Sealed): string {
  return sealed.scheme === "aes-256-gcm" ? sealed.kid : "";
}

function nonceOf(sealed: Sealed): string {
  return sealed.scheme === "aes-256-gcm" ? sealed.nonce.toString("hex") : "";
}

function shiftOf(sealed: Sealed): number {
  return sealed.scheme === "caesar" ? sealed.shift : 0;
}
