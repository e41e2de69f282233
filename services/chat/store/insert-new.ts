import { type Collection, type Document, MongoBulkWriteError, type OptionalUnlessRequiredId } from "mongodb";

const DUPLICATE_KEY = 11_000;

/** Inserts the documents whose `_id` is free. Answers the ids that were taken. A time-out of the write concern is an error, not a duplicate. */
export async function insertNew<T extends Document & { _id: string }>(
  collection: Collection<T>,
  documents: readonly T[],
): Promise<ReadonlySet<string>> {
  try {
    await collection.insertMany(documents as unknown as OptionalUnlessRequiredId<T>[], { ordered: false });
    return new Set();
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError) || error.result.getWriteConcernError() !== undefined) {
      throw error;
    }
    const failures = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
    if (failures.length === 0 || failures.some(({ code }) => code !== DUPLICATE_KEY)) {
      throw error;
    }
    return new Set(failures.map(({ index }) => documents[index]?._id ?? ""));
  }
}
