import { readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { freshKey, keyText, readKey } from "../../../../platform/keys/key.ts";
import { readKeySet } from "../../../../platform/keys/key-set.ts";
import { KEY_KINDS } from "../../../../platform/keys/kind.ts";
import { placeOf } from "../../../../platform/keys/place.ts";
import { activateKeys, initKeys, publishKeys, rotateKeys } from "../../../../platform/keys/rotation.ts";
import { crashingBefore, interruptedAfterListing } from "./files-at-fault.ts";
import { keyFolder } from "./folder.ts";

const TOKEN = { kinds: ["token"] } as const;

describe("keys", () => {
  it("are made once, also in two processes at once, readable by their owner only", async () => {
    await using folder = await keyFolder();
    await rm(folder.path, { recursive: true });

    await Promise.all([initKeys(folder.path), initKeys(folder.path)]);
    const before = await readFile(folder.file("token.key"), "utf8");
    await initKeys(folder.path);

    expect((await readdir(folder.path)).sort()).to.deep.equal(["at-rest.key", "digest.key", "receipt.key", "token.key"]);
    expect(await readFile(folder.file("token.key"), "utf8")).to.equal(before);
    expect((await stat(folder.path)).mode & 0o777).to.equal(0o700);
    expect((await stat(folder.file("token.key"))).mode & 0o777).to.equal(0o600);
    expect(Buffer.from(before, "base64")).to.have.length(32);
  });

  it("are published without becoming active, then activated, and the old ones are kept", async () => {
    await using folder = await keyFolder();
    const old = await folder.active("receipt");

    const published = await publishKeys(folder.path);
    const whilePublished = [await folder.active("receipt"), await folder.kids("receipt")];
    const activated = await activateKeys(folder.path);

    const kid = published.find(({ kind }) => kind === "receipt")?.kid ?? "";
    expect(published.map(({ kind }) => kind)).to.deep.equal([...KEY_KINDS]);
    expect(whilePublished).to.deep.equal([old, [old.kid, kid]]);
    expect(activated).to.deep.equal(published);
    expect((await folder.active("receipt")).kid).to.equal(kid);
    expect(await folder.kids("receipt")).to.have.members([kid, old.kid]);
    expect((await stat(folder.file(`receipt-${old.kid}.key`))).mode & 0o777).to.equal(0o600);
  });

  it("of one kind rotate alone", async () => {
    await using folder = await keyFolder();
    const receipt = await folder.active("receipt");

    const [rotated] = await rotateKeys(folder.path, TOKEN);

    expect(await folder.active("token")).to.include({ kid: rotated?.kid });
    expect(await folder.kids("receipt")).to.deep.equal([receipt.kid]);
  });

  it("are not activated before they are published", async () => {
    await using folder = await keyFolder();
    const old = await folder.active("token");

    const error = await activateKeys(folder.path, TOKEN).catch((thrown: unknown) => thrown);

    expect(String(error)).to.equal("Error: no key is published");
    expect(await folder.active("token")).to.deep.equal(old);
  });

  it("that were left behind published are taken up by the next rotation", async () => {
    await using folder = await keyFolder();
    const left = await publishKeys(folder.path, TOKEN);

    expect(await rotateKeys(folder.path, TOKEN)).to.deep.equal(left);
  });

  it("wait between their publication and their activation", async () => {
    await using folder = await keyFolder();
    const old = await folder.active("token");
    let seen: readonly string[] = [];

    const [rotated] = await rotateKeys(folder.path, TOKEN, async () => {
      seen = await folder.kids("token");
    });

    expect(seen).to.deep.equal([old.kid, rotated?.kid]);
  });

  it("rotate where the active at-rest key is in a file elsewhere", async () => {
    await using folder = await keyFolder();
    await using elsewhere = await keyFolder();
    const atRestKeyFile = join(elsewhere.path, "mounted");
    const old = freshKey();
    await writeFile(atRestKeyFile, keyText(old));

    const [rotated] = await rotateKeys(folder.path, { kinds: ["at-rest"], atRestKeyFile });

    const { active, all } = await readKeySet(placeOf(folder.path, "at-rest", atRestKeyFile));
    expect(active.kid).to.equal(rotated?.kid);
    expect(all.map(({ kid }) => kid)).to.include(old.kid);
  });
});

describe("a rotation of keys that ends before its end", () => {
  it("loses no key wherever it ends, leaves one active, and the next one goes through", async () => {
    let crashes = 0;
    for (let change = 0, outcome = "crashed"; outcome === "crashed"; change += 1) {
      await using folder = await keyFolder();
      const [first] = await folder.kids("token");
      const [second] = await rotateKeys(folder.path, TOKEN);

      outcome = await crashingBefore(change, () => rotateKeys(folder.path, TOKEN));
      const afterCrash = await folder.kids("token");
      const [third] = await rotateKeys(folder.path, TOKEN);

      expect(afterCrash, `before change ${change}`).to.include.members([first, second?.kid]);
      expect(await folder.kids("token"), `before change ${change}`).to.include.members([...afterCrash, third?.kid]);
      expect((await folder.active("token")).kid).to.equal(third?.kid);
      crashes += outcome === "crashed" ? 1 : 0;
    }
    expect(crashes).to.be.greaterThan(10);
  });

  it("is met by readers and other rotations at any moment, and no key that was active is missing from a reading", async () => {
    await using folder = await keyFolder();
    const place = placeOf(folder.path, "token");
    const wereActive = new Set<string>();
    let rotating = true;
    const reading = (async () => {
      while (rotating) {
        const expected = [...wereActive];
        const { active, all } = await readKeySet(place);
        expect(all.map(({ kid }) => kid)).to.include.members(expected);
        wereActive.add(active.kid);
      }
    })();

    for (let round = 0; round < 10; round += 1) {
      // One may find that another one has activated its key.
      await Promise.allSettled([rotateKeys(folder.path, TOKEN), rotateKeys(folder.path, TOKEN), rotateKeys(folder.path, TOKEN)]);
    }
    rotating = false;
    await reading;

    expect(wereActive.size).to.be.greaterThan(5);
    expect(await folder.kids("token")).to.include.members([...wereActive]);
  });
});

describe("a reading of keys", () => {
  it("begins again when a rotation takes a file away that it has listed", async () => {
    await using folder = await keyFolder();
    const [published] = await publishKeys(folder.path, TOKEN);

    const { active, all } = await interruptedAfterListing(
      () => activateKeys(folder.path, TOKEN),
      () => readKeySet(placeOf(folder.path, "token")),
    );

    expect(active.kid).to.equal(published?.kid);
    expect(all).to.have.length(2);
  });
});

describe("a key that is active", () => {
  it("is not lost when a rotation that was held up puts an older one in its place", async () => {
    await using folder = await keyFolder();
    const older = await folder.active("token");
    const [rotated] = await rotateKeys(folder.path, TOKEN);

    await writeFile(folder.file("token.key"), keyText(older));

    expect((await folder.active("token")).kid).to.equal(older.kid);
    expect(await folder.kids("token")).to.include(rotated?.kid);
  });
});

describe("a key file", () => {
  const key = freshKey();
  const base64 = key.secret.toString("base64");

  for (const [what, text] of Object.entries({
    "ends with CRLF": `${base64}\r\n`,
    "ends without a line break": base64,
    "lacks its padding": base64.slice(0, -1),
  })) {
    it(`is read when it ${what}`, async () => {
      await using folder = await keyFolder();
      await writeFile(folder.file("token.key"), text);

      expect((await readKey(folder.file("token.key"))).kid).to.equal(key.kid);
    });
  }

  for (const [what, text] of Object.entries({
    "is empty": "",
    "is cut off": base64.slice(0, 40),
    "holds too much": Buffer.alloc(33).toString("base64"),
    "is not base64": `${"-".repeat(43)}=`,
    "holds two keys": `${base64}\n${base64}\n`,
  })) {
    it(`is refused by name when it ${what}`, async () => {
      await using folder = await keyFolder();
      await writeFile(folder.file("digest.key"), text);

      const error = await folder.active("digest").catch((thrown: unknown) => thrown);

      expect(String(error)).to.equal("Error: digest.key: expected base64 of 32 bytes");
    });
  }
});
