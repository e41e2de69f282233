import { MongoClient } from "mongodb";

/** A place where something of a body was found, and in which form. */
export interface Trace {
  readonly collection: string;
  readonly form: "clear" | "base64" | "caesar" | "hex";
}

/** Looks through every document of every collection of Sallyport's databases for a body: in clear, base64, hex, or under any Caesar shift. */
export async function tracesOf(mongodbUri: string, body: Buffer): Promise<Trace[]> {
  await using client = new MongoClient(mongodbUri);
  const base = new URL(mongodbUri.replace("mongodb:", "http:")).pathname.slice(1);
  const traces: Trace[] = [];
  for (const name of [`${base}_account`, `${base}_chat`]) {
    const db = client.db(name);
    for (const { name: collection } of await db.listCollections().toArray()) {
      const documents = await db.collection(collection).find({}, { raw: true, promoteBuffers: true }).toArray();
      const bytes = Buffer.concat(documents as unknown as Buffer[]);
      traces.push(...formsIn(bytes, body).map((form) => ({ collection, form })));
    }
  }
  return traces;
}

function formsIn(haystack: Buffer, body: Buffer): Trace["form"][] {
  const forms: Trace["form"][] = [];
  if (haystack.includes(body)) {
    forms.push("clear");
  }
  if (haystack.includes(body.toString("base64").replace(/.{0,3}=*$/, "")) || haystack.includes(body.toString("base64url").slice(0, -3))) {
    forms.push("base64");
  }
  if (haystack.includes(body.toString("hex"))) {
    forms.push("hex");
  }
  for (let shift = 1; shift <= 255; shift += 1) {
    if (haystack.includes(Buffer.from(body.map((byte) => (byte + shift) & 0xff)))) {
      forms.push("caesar");
    }
  }
  return forms;
}
