import { chmod, rename, writeFile } from "node:fs/promises";
import { expect } from "chai";
import { createKeyEvents, type KeyEvents } from "../../../platform/keys/events.ts";
import { type Keeping, keepKeys } from "../../../platform/keys/keeping.ts";
import { KeyRing } from "../../../platform/keys/ring.ts";
import { publishKeys, rotateKeys } from "../../../platform/keys/rotation.ts";
import { KeyUses } from "../../../platform/keys/uses.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { createLogger } from "../../../platform/logger.ts";
import { type Db, openDatabase } from "../../../platform/mongo.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";
import { type KeyFolder, keyFolder } from "../../unit/platform/keys/folder.ts";

const TOKEN = { kinds: ["token"] } as const;
const DAY_MS = 86_400_000;

/** A folder of keys and a database; `keep` starts what a service does with its token keys. */
interface Bench extends AsyncDisposable {
  readonly folder: KeyFolder;
  readonly db: Db;
  readonly events: SeenEvents;
  keep(changes?: Partial<Keeping>): Promise<KeyRing>;
}

describe("the keys of a service", () => {
  it("are on record before they are used, and their use is noted", async () => {
    await using bench = await openBench();
    const ring = await bench.keep();
    const atStart = await recorded(bench);

    const { kid } = ring.active;
    while ((await recorded(bench))[0]?.usedAt === undefined) {}

    expect(atStart).to.deep.equal([{ kind: "token", kid, usedAt: undefined }]);
  });

  it("are read in the background: what is published is known, and what is activated is taken up and on record, by a service that is idle", async () => {
    await using bench = await openBench();
    const ring = await bench.keep();
    const [old] = await bench.folder.kids("token");

    const [published] = await publishKeys(bench.folder.path, TOKEN);
    while (ring.all.length < 2) {
      await new Promise(setImmediate);
    }
    const known = ring.all.map(({ kid }) => kid);
    const activated = bench.events.next("key activated");
    await rotateKeys(bench.folder.path, TOKEN);

    expect(known).to.deep.equal([old, published?.kid]);
    expect(await activated).to.include({ kind: "token", kid: published?.kid });
    expect((await recorded(bench)).map(({ kid }) => kid)).to.have.members([old, published?.kid]);
  });

  it("go on while their files cannot be read, and one line says so", async () => {
    await using bench = await openBench();
    const ring = await bench.keep();
    const { active } = ring;
    const file = bench.folder.file("token.key");
    const [unreadable, readable] = [bench.events.next("keys unreadable"), bench.events.next("keys readable again")];

    await rename(file, `${file}.away`);
    const line = await unreadable;
    await ring.reloadSoon().catch(() => undefined);
    const meanwhile = ring.active;
    await rename(`${file}.away`, file);
    await readable;

    expect(line).to.include({ kind: "token" });
    expect(meanwhile).to.equal(active);
    expect(bench.events.count("keys unreadable")).to.equal(1);
  });

  it("are warned of when everybody may read them", async () => {
    await using bench = await openBench();
    await chmod(bench.folder.file("token.key"), 0o644);

    await bench.keep();

    expect(bench.events.count("key file readable by everybody")).to.equal(1);
  });
});

describe("a start", () => {
  it("is refused when a key that was used is missing, by one message that names it and what to do; with the key back it goes through", async () => {
    await using bench = await openBench();
    const { active: used } = await bench.keep();
    while ((await recorded(bench))[0]?.usedAt === undefined) {}
    await rotateKeys(bench.folder.path, TOKEN);
    const file = bench.folder.file(`token-${used.kid}.key`);
    await rename(file, `${file}.away`);

    const refusal = await bench.keep().catch((error: unknown) => String(error));
    await rename(`${file}.away`, file);
    const ring = await bench.keep();

    expect(refusal).to.include(`keys that data needs are missing: token:${used.kid}. `);
    expect(refusal).to.include(bench.folder.path);
    expect(refusal).to.include(`SALLYPORT_LOST_KEYS=token:${used.kid}`);
    expect(refusal).to.not.include(used.secret.toString("base64"));
    expect((await ring.find(used.kid))?.secret).to.deep.equal(used.secret);
  });

  it("puts nothing on record when it is refused", async () => {
    await using bench = await openBench();
    await new KeyUses(bench.db).note("token", "0123456789abcdef");

    await bench.keep().catch(() => undefined);

    expect((await recorded(bench)).map(({ kid }) => kid)).to.deep.equal(["0123456789abcdef"]);
  });

  it("goes on without a key that is lost for good when it is told so, and that key is not asked for again", async () => {
    await using bench = await openBench();
    await new KeyUses(bench.db).note("token", "0123456789abcdef");

    await bench.keep({ lost: ["token:0123456789abcdef"] });
    await bench.keep();

    expect(bench.events.count("key given up")).to.equal(1);
  });

  for (const { what, days, refused } of [
    { what: "needs a token key that was used 99 days ago", days: 99, refused: true },
    { what: "does not need a token key that was used 101 days ago", days: 101, refused: false },
  ]) {
    it(what, async () => {
      await using bench = await openBench();
      const usedAt = new Date(Date.now() - days * DAY_MS);
      await bench.db.collection<{ _id: string; usedAt: Date }>("keyUses").insertOne({ _id: "token:0123456789abcdef", usedAt });

      const outcome = await bench.keep().then(
        () => "started",
        () => "refused",
      );

      expect(outcome).to.equal(refused ? "refused" : "started");
      expect((await recorded(bench)).some(({ kid }) => kid === "0123456789abcdef")).to.equal(refused);
    });
  }

  for (const needs of [true, false]) {
    it(`asks the data about a key that was active and whose use nobody noted${needs ? "" : ", and does without it when nothing needs it"}`, async () => {
      await using bench = await openBench();
      await new KeyUses(bench.db).begin("token", "0123456789abcdef");

      const outcome = await bench.keep({ data: { keys: async () => [], needs: async () => needs } }).then(
        () => "started",
        () => "refused",
      );

      expect(outcome).to.equal(needs ? "refused" : "started");
    });
  }

  it("asks data without any record which keys made it", async () => {
    await using bench = await openBench();
    const data = { keys: async () => [{ kind: "token", kid: "0123456789abcdef" } as const], needs: async () => false };

    const refusal = await bench.keep({ data }).catch((error: unknown) => String(error));

    expect(refusal).to.include("token:0123456789abcdef");
  });

  it("is refused by the name of a file that cannot be read", async () => {
    await using bench = await openBench();
    await writeFile(bench.folder.file("token-old.key"), "");

    const refusal = await bench.keep().catch((error: unknown) => String(error));

    expect(refusal).to.equal("Error: token-old.key: expected base64 of 32 bytes");
  });
});

async function openBench(): Promise<Bench> {
  const stack = new Disposables();
  const folder = stack.use(await keyFolder());
  const database = stack.use(openDatabase(freshDatabaseUri(), "account"));
  stack.defer(() => database.db.dropDatabase());
  const events = new SeenEvents();
  return {
    folder,
    db: database.db,
    events,
    keep: async (changes = {}) => {
      const ring = await KeyRing.open(folder.path, "token");
      const data = { keys: async () => [], needs: async () => false };
      stack.use(await keepKeys({ rings: [ring], uses: new KeyUses(database.db), data, lost: [], events: events.events, ...changes }));
      return ring;
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

function recorded({ db }: Bench): ReturnType<KeyUses["list"]> {
  return new KeyUses(db).list();
}

/** Events that can be counted and waited for, by the text of their lines. */
class SeenEvents {
  readonly #lines: { readonly text: string; readonly facts: object }[] = [];
  readonly #waiting: { readonly text: string; readonly found: (facts: object) => void }[] = [];
  readonly events: KeyEvents;

  constructor() {
    const see = (facts: object, text: string): void => {
      this.#lines.push({ text, facts });
      for (const { found } of this.#waiting.filter((one) => one.text === text)) {
        found(facts);
      }
    };
    this.events = createKeyEvents(Object.assign(Object.create(createLogger("test", "silent")), { info: see, warn: see, error: see }));
  }

  next(text: string): Promise<object> {
    return new Promise((found) => this.#waiting.push({ text, found }));
  }

  count(text: string): number {
    return this.#lines.filter((line) => line.text === text).length;
  }
}
