import { expect } from "chai";
import { MongoServerError } from "mongodb";
import type { Database, Db } from "../../../platform/mongo.ts";
import { type PreparationEvents, prepareDatabase } from "../../../platform/prepare-database.ts";

const SCHEMA = { collections: ["sends", "inbox"].map((name) => ({ name, indexes: [{ key: { at: 1 } }] })), migrations: [] };

describe("preparing the database of a service", () => {
  it("is tried again when the first primary is lost before the indexes are made", async () => {
    const asked: string[] = [];
    let awaited = 0;

    await prepareDatabase(
      databaseThat(asked, new MongoServerError({ message: "no", code: 10_107 })),
      SCHEMA,
      eventsTo(() => (awaited += 1)),
    );

    expect(asked).to.deep.equal(["sends", "sends", "inbox"]);
    expect(awaited).to.equal(1);
  });

  it("ends with any other error", async () => {
    const unauthorized = new MongoServerError({ message: "no", code: 13 });

    const error = await prepareDatabase(
      databaseThat([], unauthorized),
      SCHEMA,
      eventsTo(() => undefined),
    ).catch((thrown: unknown) => thrown);

    expect(error).to.equal(unauthorized);
  });
});

function eventsTo(databaseAwaited: () => void): PreparationEvents {
  return { databaseAwaited, indexesAwaited: () => undefined, databaseMigrated: () => undefined };
}

/** A database of version 1 whose first index fails. */
function databaseThat(asked: string[], fault: Error): Database {
  const createIndexes = async (name: string): Promise<void> => {
    asked.push(name);
    if (asked.length === 1) {
      throw fault;
    }
  };
  const collection = (name: string): object => ({ findOne: async () => ({ version: 1 }), createIndexes: () => createIndexes(name) });
  const db = { collection } as unknown as Db;
  return { db, isUp: async () => true, patient: () => databaseThat(asked, fault), [Symbol.asyncDispose]: async () => undefined };
}
