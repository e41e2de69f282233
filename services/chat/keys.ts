import { join } from "node:path";
import { openConfiguredRing } from "../../platform/keys/configured-ring.ts";
import { createKeyEvents } from "../../platform/keys/events.ts";
import { keepKeys } from "../../platform/keys/keeping.ts";
import type { KeyRing } from "../../platform/keys/ring.ts";
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

/** Opens the keys. @throws ConfigError naming the variable whose key is missing or malformed, Error naming the keys that data needs and that are missing. */
export async function openKeys(
  { keysDir, atRestKeyFile, lostKeys: lost }: Pick<ChatConfig, "keysDir" | "atRestKeyFile" | "lostKeys">,
  db: Db,
  logger: Logger,
): Promise<ChatKeys> {
  const receipt = await openConfiguredRing(keysDir, "receipt");
  const digest = await openConfiguredRing(keysDir, "digest");
  const own = { file: atRestKeyFile, variable: "CHAT_AT_REST_KEY_FILE" };
  const atRest = await openConfiguredRing(keysDir, "at-rest", atRestKeyFile === join(keysDir, "at-rest.key") ? undefined : own);
  const rings = [receipt, digest, atRest];
  const kept = await keepKeys({ rings, uses: new KeyUses(db), data: keyedData(db), lost, events: createKeyEvents(logger) });
  return { receipt, digest, atRest, [Symbol.asyncDispose]: () => kept[Symbol.asyncDispose]() };
}
