import { asking, type Collection } from "../../../platform/mongo.ts";
import { insertNew } from "./insert-new.ts";
import type { InboxDocument } from "./schema.ts";

/**
 * Inserts bodies. What a claim before theirs left under their ids gives way to them, what a later one brought does not, be it among them;
 * what goes away meanwhile is inserted after all. Answers of each whether the body of its claim is there.
 */
export async function placeBodies(inbox: Collection<InboxDocument>, documents: readonly InboxDocument[]): Promise<readonly boolean[]> {
  const times = new Map<string, number>();
  for (let rest = newestOf(documents); rest.length > 0; rest = rest.filter(({ _id }) => !times.has(_id))) {
    const taken = await asking(() => insertNew(inbox, rest));
    const met = rest.filter(({ _id }) => taken.has(_id));
    for (const { _id, acceptedAt } of rest.filter((one) => !met.includes(one))) {
      times.set(_id, acceptedAt.getTime());
    }
    for (const [id, acceptedAt] of await giveWay(inbox, met)) {
      times.set(id, acceptedAt);
    }
  }
  return documents.map(({ _id, acceptedAt }) => times.get(_id) === acceptedAt.getTime());
}

/** Of several under one id the one of the latest claim. */
function newestOf(documents: readonly InboxDocument[]): readonly InboxDocument[] {
  const newest = new Map<string, InboxDocument>();
  for (const document of documents) {
    if (document.acceptedAt.getTime() >= (newest.get(document._id)?.acceptedAt.getTime() ?? 0)) {
      newest.set(document._id, document);
    }
  }
  return [...newest.values()];
}

/** Removes what is older than these under their ids. Answers of what stays when it was accepted. */
async function giveWay(inbox: Collection<InboxDocument>, documents: readonly InboxDocument[]): Promise<ReadonlyMap<string, number>> {
  if (documents.length === 0) {
    return new Map();
  }
  // By the id alone: it may wait for another recipient, as the id of a message that was never accepted is free again.
  const older = documents.map(({ _id, acceptedAt }) => ({ deleteOne: { filter: { _id, acceptedAt: { $lt: acceptedAt } } } }));
  await asking(() => inbox.bulkWrite(older, { ordered: false }));
  const filter = { _id: { $in: documents.map(({ _id }) => _id) } };
  const found = await asking(() => inbox.find(filter, { projection: { acceptedAt: 1 } }).toArray());
  return new Map(found.map(({ _id, acceptedAt }) => [_id, acceptedAt.getTime()]));
}
