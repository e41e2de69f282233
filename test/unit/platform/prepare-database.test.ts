import { expect } from "chai";
import { MongoServerError } from "mongodb";
import type { Database, Db } from "../../../platform/mongo.ts";
import { prepareDatabase } from "../../../platform/prepare-database.ts";

const NOT_PRIMARY = 10_107;
const UNAUTHORIZED = 13;
const SCHEMAS = ["sends", "inbox"].map((name) => ({ name, indexes: [{ key: { at: 1 } }] }));

describe("preparing the database of a service", () => {
  it("waits for the next primary when the first is lost before the indexes are made", async () => {
    const asked: string[] = [];
    let awaited = 0;

    await prepareDatabase(databaseThat(asked, NOT_PRIMARY), SCHEMAS, () => (awaited += 1));

    expect(asked).to.deep.equal(["sends", "sends", "inbox"]);
    expect(awaited).to.equal(1);
  });

  it("ends with any other error", async () => {
    const error = await prepareDatabase(databaseThat([], UNAUTHORIZED), SCHEMAS, () => undefined).catch((thrown: unknown) => thrown);

    expect(error).to.have.property("code", UNAUTHORIZED);
  });
});

/** A database whose first index fails. */
function databaseThat(asked: string[], code: number): Database {
  const createIndexes = async (name: string): Promise<void> => {
    asked.push(name);
    if (asked.length === 1) {
      throw new MongoServerError({ message: "no", code });
    }
  };
  const db = { collection: (name: string) => ({ createIndexes: () => createIndexes(name) }) } as unknown as Db;
  return { db, isUp: async () => true, [Symbol.asyncDispose]: async () => undefined };
}
