import type { KeyKind, KeyName } from "../../../platform/keys/kind.ts";
import type { KeyedData } from "../../../platform/keys/required.ts";
import { asking, type Db, type Document } from "../../../platform/mongo.ts";

/** Which keys the documents of a collection name, and in which fields. */
interface Place {
  readonly collection: string;
  readonly fields: Readonly<Record<string, KeyKind>>;
}

const PLACES: readonly Place[] = [
  { collection: "sends", fields: { kid: "receipt", digestKid: "digest" } },
  { collection: "inbox", fields: { receiptKid: "receipt", "sealed.kid": "at-rest" } },
  { collection: "reports", fields: { "messages.sealed.kid": "at-rest" } },
];
/** Small enough that each answer of the database comes well before its deadline. */
const BATCH = 5_000;

/** The keys that made the data of the chat service. Each question reads all of it, which only a start without record or without a key asks for. */
export function keyedData(db: Db): KeyedData {
  const keys = async (): Promise<readonly KeyName[]> => (await Promise.all(PLACES.map((place) => keysIn(db, place)))).flat();
  return {
    keys,
    needs: async ({ kind, kid }) => (await keys()).some((name) => name.kind === kind && name.kid === kid),
  };
}

function keysIn(db: Db, { collection, fields }: Place): Promise<readonly KeyName[]> {
  return asking(async () => {
    const names = new Map<string, KeyName>();
    const projection = { _id: 0, ...Object.fromEntries(Object.keys(fields).map((field) => [field, 1])) };
    for await (const document of db.collection(collection).find({}, { projection, batchSize: BATCH })) {
      for (const [field, kind] of Object.entries(fields)) {
        for (const kid of valuesAt(document, field.split("."))) {
          names.set(`${kind}:${kid}`, { kind, kid });
        }
      }
    }
    return [...names.values()];
  });
}

/** The texts at a path, through every element of the arrays on it. */
function valuesAt(value: unknown, [step, ...rest]: readonly string[]): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((element) => valuesAt(element, step === undefined ? [] : [step, ...rest]));
  }
  if (step === undefined) {
    return typeof value === "string" ? [value] : [];
  }
  return typeof value === "object" && value !== null ? valuesAt((value as Document)[step], rest) : [];
}
