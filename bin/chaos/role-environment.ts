import type { Env } from "../../platform/env.ts";
import { PARENT_VARIABLE } from "../parent.ts";
import type { Place } from "./place.ts";

/** What a program finds its tools by; nothing else of the surrounding environment configures a layout. */
const INHERITED = ["PATH", "HOME", "TMPDIR", "LANG"];

/** Where the roles of a layout find everything. */
export interface Whereabouts {
  readonly mongodbUri: string;
  readonly dataDirectory: string;
  readonly operatorTokenFile: string;
  readonly places: readonly Place[];
}

/** The environment of the role at a place: everything is reached through its proxy, drains are short, and limits are off, as all clients share one address. */
export function roleEnvironment(place: Place, { mongodbUri, dataDirectory, operatorTokenFile, places }: Whereabouts, env: Env): Env {
  const targets = (kind: Place["kind"]): string => places.flatMap((other) => (other.kind === kind ? other.proxy.address : [])).join(",");
  return {
    ...Object.fromEntries(INHERITED.map((name) => [name, env[name]])),
    MONGODB_URI: mongodbUri,
    SALLYPORT_DATA_DIR: dataDirectory,
    GATEWAY_OPERATOR_TOKEN_FILE: operatorTokenFile,
    ACCOUNT_TARGETS: targets("account"),
    CHAT_TARGETS: targets("chat"),
    SALLYPORT_LIMITS: "off",
    ACCOUNT_DEV_LOGIN: "on",
    GATEWAY_DRAIN_MS: "500",
    [PARENT_VARIABLE]: "pipe",
    ...listening(place),
  };
}

function listening({ kind, port, adminPort }: Place): Env {
  switch (kind) {
    case "gateway":
      return { GATEWAY_PORT: String(port), GATEWAY_ADMIN_PORT: String(adminPort) };
    case "chat":
      return { CHAT_LISTEN: `127.0.0.1:${port}` };
    case "account":
      return { ACCOUNT_LISTEN: `127.0.0.1:${port}` };
    case "mongod":
      return {};
  }
}
