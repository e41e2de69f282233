import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { SallyportError } from "../../../../platform/errors.ts";
import { freshKey, keyText } from "../../../../platform/keys/key.ts";
import { KeyRing, type UseRecord } from "../../../../platform/keys/ring.ts";
import { activateKeys, publishKeys, rotateKeys } from "../../../../platform/keys/rotation.ts";
import { keyFolder } from "./folder.ts";

const UNKNOWN = "0123456789abcdef";
const TOKEN = { kinds: ["token"] } as const;
const HOUR_MS = 3_600_000;

describe("a key ring", () => {
  it("finds a key that another process has published meanwhile, and goes on signing with its own", async () => {
    await using folder = await keyFolder();
    const ring = await KeyRing.open(folder.path, "token");
    const { active } = ring;

    const [published] = await publishKeys(folder.path, TOKEN);
    const found = await ring.find(published?.kid ?? "");

    expect(found?.kid).to.equal(published?.kid);
    expect(ring.active).to.equal(active);
    expect(ring.all).to.deep.equal([active, found]);
  });

  it("signs with a key that another process has activated, and still finds the old one", async () => {
    await using folder = await keyFolder();
    const ring = await KeyRing.open(folder.path, "token");
    const old = ring.active;

    const [rotated] = await rotateKeys(folder.path, TOKEN);
    await ring.reloadSoon();

    expect(ring.active.kid).to.equal(rotated?.kid);
    expect((await ring.find(old.kid))?.secret).to.deep.equal(old.secret);
  });

  it("goes on with its keys while the active file cannot be read, and refuses nothing meanwhile", async () => {
    await using folder = await keyFolder();
    const ring = await KeyRing.open(folder.path, "token");
    const { active } = ring;
    await writeFile(folder.file("token.key"), "");

    const error = await ring.find(UNKNOWN).catch((thrown: unknown) => thrown);

    expect(error).to.be.instanceOf(SallyportError).and.to.include({ status: "UNAVAILABLE", reason: "KEYS_UNREADABLE" });
    expect((error as SallyportError).cause).to.have.property("message", "token.key: expected base64 of 32 bytes");
    expect(ring.active).to.equal(active);
    expect(await ring.find(active.kid)).to.deep.equal(active);
  });

  it("takes up what it can read beside a file that it cannot, and refuses nothing meanwhile", async () => {
    await using folder = await keyFolder();
    const ring = await KeyRing.open(folder.path, "token");
    await mkdir(folder.file("token-folder.key"));
    const [rotated] = await rotateKeys(folder.path, TOKEN);

    const error = await ring.find(UNKNOWN).catch((thrown: unknown) => thrown);

    expect((error as SallyportError).cause).to.have.property("message", "token-folder.key: expected a file, found a folder");
    expect(ring.active.kid).to.equal(rotated?.kid);
    await rm(folder.file("token-folder.key"), { recursive: true });
    expect(await ring.find(UNKNOWN)).to.equal(undefined);
  });

  it("does not open on a file that it cannot read, and names it", async () => {
    await using folder = await keyFolder();
    await writeFile(folder.file("token-old.key"), "cut of");

    const error = await KeyRing.open(folder.path, "token").catch((thrown: unknown) => thrown);

    expect(String(error)).to.equal("Error: token-old.key: expected base64 of 32 bytes");
  });

  it("keeps a key whose file is gone for a moment, and forgets it 10 s later", async () => {
    await using folder = await keyFolder();
    const [old] = await folder.kids("token");
    await rotateKeys(folder.path, TOKEN);
    await using clock = movingClock();
    const ring = await KeyRing.open(folder.path, "token");
    await rm(folder.file(`token-${old}.key`));

    await ring.reloadSoon();
    clock.pass(9_000);
    await ring.reloadSoon();
    const before = await ring.find(old ?? "");
    clock.pass(2_000);
    await ring.reloadSoon();

    expect(before?.kid).to.equal(old);
    expect(await ring.find(old ?? "")).to.equal(undefined);
  });

  it("follows the links of a mounted secret when they are swapped", async () => {
    await using folder = await keyFolder();
    const [first, second] = [freshKey(), freshKey()];
    for (const [name, keys] of [
      ["..first", { "token.key": first }],
      ["..second", { "token.key": second, "token-first.key": first }],
    ] as const) {
      await mkdir(folder.file(name));
      for (const [file, key] of Object.entries(keys)) {
        await writeFile(folder.file(`${name}/${file}`), keyText(key));
      }
    }
    await rm(folder.file("token.key"));
    await symlink("..first", folder.file("..data"));
    await symlink("..data/token.key", folder.file("token.key"));
    const ring = await KeyRing.open(folder.path, "token");

    await symlink("..second", folder.file("..next"));
    await rename(folder.file("..next"), folder.file("..data"));
    await symlink("..data/token-first.key", folder.file("token-first.key"));
    await ring.reloadSoon();

    expect(ring.all).to.deep.equal([second, first]);
  });
});

describe("the record of a key ring's uses", () => {
  it("is written before a key becomes active; until then its predecessor signs", async () => {
    await using folder = await keyFolder();
    const ring = await KeyRing.open(folder.path, "token");
    const record = new FakeRecord();
    await ring.recordBy(record);
    const old = ring.active;
    const release = record.hold();

    const [rotated] = await rotateKeys(folder.path, TOKEN);
    await ring.reloadSoon();
    const whileHeld = [ring.active, (await ring.find(rotated?.kid ?? ""))?.kid];
    release();
    await new Promise(setImmediate);

    expect(whileHeld).to.deep.equal([old, rotated?.kid]);
    expect(ring.active.kid).to.equal(rotated?.kid);
    expect(record.begun).to.deep.equal([old.kid, rotated?.kid]);
  });

  it("has the key too that becomes active while the first is written down", async () => {
    await using folder = await keyFolder();
    const ring = await KeyRing.open(folder.path, "token");
    const record = new FakeRecord();
    const old = ring.active;
    const release = record.hold();
    const recording = ring.recordBy(record);

    const [rotated] = await rotateKeys(folder.path, TOKEN);
    await ring.reloadSoon();
    release();
    await recording;
    await new Promise(setImmediate);

    expect(ring.active.kid).to.equal(rotated?.kid);
    expect(record.begun).to.deep.equal([old.kid, rotated?.kid]);
  });

  it("is tried again when it could not be written", async () => {
    await using folder = await keyFolder();
    const ring = await KeyRing.open(folder.path, "token");
    const record = new FakeRecord();
    await ring.recordBy(record);
    const old = ring.active;
    record.failing = true;

    await publishKeys(folder.path, TOKEN);
    const [activated] = await activateKeys(folder.path, TOKEN);
    await ring.reloadSoon();
    await new Promise(setImmediate);
    const whileFailing = ring.active;
    record.failing = false;
    await ring.reloadSoon();
    await new Promise(setImmediate);

    expect(whileFailing).to.equal(old);
    expect(ring.active.kid).to.equal(activated?.kid);
  });

  it("notes the first use of a key, and one an hour", async () => {
    await using folder = await keyFolder();
    await using clock = movingClock();
    const ring = await KeyRing.open(folder.path, "token");
    const record = new FakeRecord();
    await ring.recordBy(record);
    const use = (): unknown => [ring.active, ring.active];

    use();
    const atFirst = [...record.noted];
    clock.pass(HOUR_MS - 1_000);
    use();
    const withinTheHour = record.noted.length;
    clock.pass(2_000);
    use();

    const { kid } = ring.active;
    expect(atFirst).to.deep.equal([kid]);
    expect(withinTheHour).to.equal(1);
    expect(record.noted).to.deep.equal([kid, kid]);
  });
});

class FakeRecord implements UseRecord {
  readonly begun: string[] = [];
  readonly noted: string[] = [];
  failing = false;
  #held: Promise<void> = Promise.resolve();

  async begin({ kid }: { kid: string }): Promise<void> {
    await this.#held;
    if (this.failing) {
      throw new Error("not now");
    }
    this.begun.push(kid);
  }

  async note({ kid }: { kid: string }): Promise<void> {
    this.noted.push(kid);
  }

  /** Lets nothing begin until the answered function is called. */
  hold(): () => void {
    let release: () => void = () => undefined;
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }
}

/** The monotonic clock of this process, which can be put forward. */
function movingClock(): AsyncDisposable & { pass(ms: number): void } {
  const now = performance.now.bind(performance);
  let shift = 0;
  performance.now = () => now() + shift;
  return {
    pass: (ms) => {
      shift += ms;
    },
    [Symbol.asyncDispose]: async () => {
      performance.now = now;
    },
  };
}
