import type { ListedKey } from "../../platform/keys/listing.ts";
import type { Run } from "../command.ts";
import { launcherConfig } from "../launcher/config.ts";

/** Prints every key with its state, and until when something may need it; never a secret. */
export const keysList: Run = async ({ env, flags, print }) => {
  const { listKeys } = await import("../../platform/keys/listing.ts");
  const { placesOf } = await import("../../platform/keys/rotation.ts");
  const { rotationOf } = await import("../key-flags.ts");
  const { keysDirectory } = launcherConfig(env);

  const keys = await Promise.all(placesOf(keysDirectory, rotationOf(flags, env)).map(listKeys));
  for (const line of tableOf(keys.flat())) {
    print(line);
  }
  return 0;
};

function tableOf(keys: readonly ListedKey[]): readonly string[] {
  const rows = keys.map(({ kind, kid, state, since, ...key }) => [kind, kid, state, since.toISOString(), keptUntil({ kind, ...key })]);
  const table = [["kind", "kid", "state", "since", "kept until"], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
}

function keptUntil({ kind, keptUntil: end }: Pick<ListedKey, "kind" | "keptUntil">): string {
  if (end === undefined) {
    return "-";
  }
  return `${end.toISOString()}${kind === "at-rest" ? ", longer while reports need it" : ""}`;
}
