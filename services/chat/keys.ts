import { createKeyEvents } from "../../platform/keys/events.ts";
import { keepKeys } from "../../platform/keys/keeping.ts";
import { KeyRing } from "../../platform/keys/ring.ts";
import { KeyUses } from "../../platform/keys/uses.ts";
import type { Logger } from "../../platform/logger.ts";
import type { Db } from "../../platform/mongo.ts";
import type { ChatConfig } from "./config.ts";
import { keyedData } from "./store/keyed-data.ts";

/** The keys of the chat service, kept until disposed of. */
export interface ChatKeys extends AsyncDisposable {
  /** Signs receipts. */
  readonly receipt: KeyRing;
  /** Digests bodies for the ledger. */
  readonly digest: KeyRing;
  /** Enciphers bodies that wait. */
  readonly atRest: KeyRing;
}

/** Opens the keys. @throws Error naming the key file that is missing or malformed, or the keys that data needs and that are missing. */
export async function openKeys(
  { keysDir, atRestKeyFile, lostKeys: lost }: Pick<ChatConfig, "keysDir" | "atRestKeyFile" | "lostKeys">,
  db: Db,
  logger: Logger,
): Promise<ChatKeys> {
  const receipt = await KeyRing.open(keysDir, "receipt");
  const digest = await KeyRing.open(keysDir, "digest");
  const atRest = await KeyRing.open(keysDir, "at-rest", atRestKeyFile);
  const rings = [receipt, digest, atRest];
  const kept = await keepKeys({ rings, uses: new KeyUses(db), data: keyedData(db), lost, events: createKeyEvents(logger) });
  return { receipt, digest, atRest, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() };
}
