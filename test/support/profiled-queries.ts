import type { CollectionSchema, Db, Document } from "../../platform/mongo.ts";

/** A query as the database took it, and how it found what it was asked for. */
export interface ProfiledQuery {
  readonly collection: string;
  readonly verb: string;
  readonly filter: Document;
  /** Whether it is for one document, so that a sharded cluster must know from the filter on which shard that is. */
  readonly isForOne: boolean;
  readonly plan: string;
  readonly docsExamined: number;
  /** How many documents it answered, changed or removed. */
  readonly found: number;
}

const PROFILE_BYTES = 64 * 1024 * 1024;

/**
 * Runs something while the database writes down every operation on it, and answers all that have a filter. Meanwhile no document without its
 * collection's shard key can be inserted: of inserts the database does not write down what they brought.
 */
export async function profile(
  db: Db,
  schemas: readonly CollectionSchema[],
  act: () => Promise<unknown>,
): Promise<readonly ProfiledQuery[]> {
  for (const { name, shardKey } of schemas) {
    await db.command({ collMod: name, validator: shardKey === undefined ? {} : { [shardKey]: { $type: "string" } } });
  }
  await db.collection("system.profile").drop();
  await db.createCollection("system.profile", { capped: true, size: PROFILE_BYTES });
  await db.command({ profile: 2 });
  try {
    await act();
  } finally {
    await db.command({ profile: 0 });
  }
  return (await db.collection("system.profile").find().toArray()).flatMap(toQuery);
}

/** Of a query all that is the same whatever it is about: `find {recipientId, _id: $in}`. */
export function shapeOf({ verb, filter }: Pick<ProfiledQuery, "verb" | "filter">): string {
  return `${verb} {${fieldsOf(filter).join(", ")}}`;
}

/** Whether a sharded cluster sends a query only to shards that may have what it is for: MongoDB 6.0 wants one key for one document. */
export function isTargeted({ filter, isForOne }: ProfiledQuery, shardKey: string | undefined): boolean {
  if (shardKey === undefined) {
    return true;
  }
  const named = filter[shardKey];
  return typeof named === "string" || (!isForOne && isListOfTexts(named?.$in));
}

/** Whether an index led to what a query is for, and it read no document besides. */
export function isDirect(query: ProfiledQuery, shardKey: string): boolean {
  const isByKey =
    query.plan === "EOF" || /^(IDHACK|EXPRESS)/.test(query.plan) || indexes(query.plan, shardKey) || indexes(query.plan, "_id");
  return isByKey && query.docsExamined <= query.found + namedIds(query.filter);
}

function toQuery({ ns, op, command, planSummary, docsExamined, nreturned, nMatched, ndeleted }: Document): ProfiledQuery[] {
  const collection = String(ns).replace(/^[^.]+\./, "");
  const read = filterOf(op, command);
  if (read === undefined || collection.startsWith("system.")) {
    return [];
  }
  const found = Number(nreturned ?? nMatched ?? ndeleted ?? 0);
  return [{ collection, ...read, plan: planSummary ?? "", docsExamined: Number(docsExamined ?? 0), found }];
}

type Read = Pick<ProfiledQuery, "verb" | "filter" | "isForOne">;

/** @throws Error for an operation that is not known: it might have a filter. */
function filterOf(op: string, command: Document): Read | undefined {
  switch (op) {
    case "insert":
    case "getmore":
      return undefined;
    case "query":
      return { verb: "find", filter: command["filter"] ?? {}, isForOne: false };
    case "update":
      return { verb: command["upsert"] ? "upsert" : "update", filter: command["q"], isForOne: !command["multi"] };
    case "remove":
      return { verb: "delete", filter: command["q"], isForOne: command["limit"] === 1 };
  }
  const [name = ""] = Object.keys(command);
  switch (name) {
    case "findAndModify":
      return { verb: command["upsert"] ? "upsert" : "update", filter: command["query"] ?? {}, isForOne: true };
    case "aggregate":
      return { verb: "aggregate", filter: command["pipeline"][0]?.$match ?? {}, isForOne: false };
    case "count":
    case "distinct":
      return { verb: name, filter: command["query"] ?? {}, isForOne: false };
    case "collMod":
    case "listIndexes":
    case "profile":
      return undefined;
  }
  throw new Error(`an operation that this does not know: ${op} ${name}`);
}

function fieldsOf(filter: Document): readonly string[] {
  return Object.entries(filter).map(([field, value]) => {
    if (field === "$or" || field === "$and") {
      return `${field}: [${(value as Document[]).map((part) => `{${fieldsOf(part).join(", ")}}`).join(", ")}]`;
    }
    const operators = Object.keys(isPlain(value) ? value : {}).filter((key) => key.startsWith("$") && field !== "$expr");
    return operators.length === 0 ? field : `${field}: ${operators.join(" ")}`;
  });
}

function isPlain(value: unknown): value is Document {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function indexes(plan: string, field: string): boolean {
  return new RegExp(`^(IXSCAN|COUNT_SCAN|DISTINCT_SCAN) \\{ ${field.replace(".", "\\.")}: `).test(plan);
}

function namedIds({ _id }: Document): number {
  return Array.isArray(_id?.$in) ? _id.$in.length : typeof _id === "string" ? 1 : 0;
}
