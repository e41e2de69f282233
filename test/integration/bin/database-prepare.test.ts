import { expect } from "chai";
import { MongoClient } from "mongodb";
import { runCommand } from "../../../bin/run-command.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";

/** What `database prepare` ended with, and the lines that it printed. */
interface Outcome {
  readonly code: number;
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

describe("sallyport database prepare", () => {
  it("makes the databases of both services, and says what it makes", async () => {
    await using database = scratch();

    const { code, lines } = await prepare(database.uri);

    expect(code).to.equal(0);
    expect(lines).to.include(`${database.name}_account: version 2`);
    expect(lines).to.include(`${database.name}_chat.sends: made; indexes made: _id_, purgeAt_1, pending, expired, deleted`);
    expect(lines).to.include(`${database.name}_chat.presence: made; indexes made: _id_`);
    expect(lines.at(-1)).to.equal(`${database.name}_chat: not on a sharded cluster, nothing to shard`);
  });

  it("finds all made the second time", async () => {
    await using database = scratch();
    await prepare(database.uri);

    const { code, lines } = await prepare(database.uri);

    expect(code).to.equal(0);
    expect(lines.filter((line) => /made|dropped|migrated/.test(line))).to.deep.equal([]);
    expect(lines).to.include(`${database.name}_account.sessions: found, with 4 indexes`);
  });

  it("brings older data up to date, and says so", async () => {
    await using database = scratch();
    await database.client.db(`${database.name}_chat`).collection("sends").createIndex({ expiresAt: 1 });

    const { lines } = await prepare(database.uri);

    expect(lines).to.include(`${database.name}_chat: migrated to version 2`);
    expect(lines).to.include(
      `${database.name}_chat.sends: indexes made: purgeAt_1, pending, expired, deleted; indexes dropped: expiresAt_1`,
    );
  });

  it("may run several times at once", async () => {
    await using database = scratch();

    const outcomes = await Promise.all([1, 2, 3].map(() => prepare(database.uri)));

    expect(outcomes.map(({ code }) => code)).to.deep.equal([0, 0, 0]);
  });

  it("ends with one line when nobody answers, when the database is of a newer version, or none is named", async () => {
    await using database = scratch();
    const versions = database.client.db(`${database.name}_account`).collection<{ _id: string; version: number }>("schema");
    await versions.insertOne({ _id: "schema", version: 99 });

    const outcomes = [await prepare("mongodb://127.0.0.1:1/x"), await prepare(database.uri), await prepare("")];

    expect(outcomes.map(({ code }) => code)).not.to.include(0);
    expect(outcomes.map(({ warnings }) => warnings.length)).to.deep.equal([1, 1, 1]);
    expect(outcomes[0]?.warnings[0]).to.match(/MONGODB_URI: the database cannot be asked: .*ECONNREFUSED/);
    expect(outcomes[1]?.warnings[0]).to.match(/_account is of version 99, and this program knows only version 2/);
    expect(outcomes[2]?.warnings[0]).to.contain("MONGODB_URI: expected the database to prepare");
  });
});

async function prepare(uri: string): Promise<Outcome> {
  const [lines, warnings]: [string[], string[]] = [[], []];
  const surroundings = {
    env: { MONGODB_URI: uri },
    entry: "",
    print: (line: string) => lines.push(line),
    warn: (line: string) => warnings.push(line),
  };
  const code = await runCommand(["database", "prepare"], surroundings);
  return { code, lines, warnings };
}

/** A database of its own, which is dropped in the end. */
function scratch(): AsyncDisposable & { readonly uri: string; readonly name: string; readonly client: MongoClient } {
  const uri = freshDatabaseUri();
  const name = /test_[0-9a-f]+/.exec(uri)?.[0] ?? "";
  const client = new MongoClient(uri);
  return {
    uri,
    name,
    client,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(["account", "chat"].map((service) => client.db(`${name}_${service}`).dropDatabase()));
      await client.close();
    },
  };
}
