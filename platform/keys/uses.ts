import { asking, type Collection, type Db } from "../mongo.ts";
import { isKeyKind, type KeyKind, type KeyName } from "./kind.ts";

/** A key that a service has worked with. */
export interface KeyUse extends KeyName {
  /** About when it was last used; undefined when it was active and nobody noted a use. */
  readonly usedAt: Date | undefined;
}

interface KeyUseDocument {
  /** `<kind>:<kid>`. */
  readonly _id: string;
  readonly activeAt?: Date;
  readonly usedAt?: Date;
}

/** Which keys a service has worked with, written down beside the data that they made. Every verb may be repeated. */
export class KeyUses {
  readonly #uses: Collection<KeyUseDocument>;

  constructor(db: Db) {
    this.#uses = db.collection<KeyUseDocument>("keyUses");
  }

  /** Every key on record. */
  async list(): Promise<readonly KeyUse[]> {
    const documents = await asking(() => this.#uses.find().toArray());
    return documents.flatMap(({ _id, usedAt }) => {
      const [kind = "", kid = ""] = _id.split(":");
      return isKeyKind(kind) ? [{ kind, kid, usedAt }] : [];
    });
  }

  /** A key becomes active: whatever it makes from here on is made by a key on record. */
  async begin(kind: KeyKind, kid: string): Promise<void> {
    await this.#put(kind, kid, { activeAt: { $ifNull: ["$activeAt", "$$NOW"] } });
  }

  /** A key is used. */
  async note(kind: KeyKind, kid: string): Promise<void> {
    await this.#put(kind, kid, { usedAt: "$$NOW" });
  }

  /** Nothing needs a key any more. */
  async forget(kind: KeyKind, kid: string): Promise<void> {
    await asking(() => this.#uses.deleteOne({ _id: `${kind}:${kid}` }));
  }

  async #put(kind: KeyKind, kid: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
    await asking(() => this.#uses.updateOne({ _id: `${kind}:${kid}` }, [{ $set: fields }], { upsert: true }));
  }
}
