import { type Env, readVariables } from "../platform/env.ts";
import { isKeyKind, KEY_KINDS, type KeyKind } from "../platform/keys/kind.ts";
import type { Rotation } from "../platform/keys/rotation.ts";
import { chatVariables } from "../services/chat/config.ts";
import { UsageError } from "./command.ts";
import { flagValue } from "./flag-value.ts";

/** How long a rotation waits by default between its steps: every copy that runs has read what is published by then, also a busy one. */
const ROTATION_WAIT_MS = 5_000;

/** What the flags of a command and the environment say about a rotation. @throws UsageError */
export function rotationOf(flags: ReadonlySet<string>, env: Env): Rotation {
  const { CHAT_AT_REST_KEY_FILE: atRestKeyFile } = readVariables(env, { CHAT_AT_REST_KEY_FILE: chatVariables.CHAT_AT_REST_KEY_FILE });
  return { kinds: kindsIn(flags), ...(atRestKeyFile === "" ? {} : { atRestKeyFile }) };
}

/** How long the flags say to wait, in milliseconds. @throws UsageError */
export function waitIn(flags: ReadonlySet<string>): number {
  const text = flagValue(flags, "--wait-ms=") ?? String(ROTATION_WAIT_MS);
  if (!/^\d{1,9}$/.test(text)) {
    throw new UsageError("--wait-ms takes a number of milliseconds");
  }
  return Number(text);
}

function kindsIn(flags: ReadonlySet<string>): readonly KeyKind[] {
  const words = flagValue(flags, "--kind=")?.split(",") ?? KEY_KINDS;
  const stray = words.find((word) => !isKeyKind(word));
  if (stray !== undefined) {
    throw new UsageError(`--kind takes ${KEY_KINDS.join(", ")}, or several of them in a comma list`);
  }
  return KEY_KINDS.filter((kind) => words.includes(kind));
}
