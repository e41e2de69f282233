/** What a request for a socket is: one, one in no version of the protocol that is spoken here, or none. */
export type UpgradeKind = "good" | "other-version" | "none";

// 16 bytes.
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** Tells whether a GET asks for a WebSocket (RFC 6455 section 4.2.1), by the values of all lines of its headers. */
export function upgradeKind(linesOf: (name: string) => readonly string[]): UpgradeKind {
  const keys = linesOf("sec-websocket-key");
  const isUpgrade =
    tokensOf(linesOf("upgrade")).includes("websocket") &&
    tokensOf(linesOf("connection")).includes("upgrade") &&
    keys.length === 1 &&
    keys.every((key) => KEY.test(key)) &&
    // What comes behind an upgrade is a frame, never a body.
    linesOf("transfer-encoding").length === 0 &&
    linesOf("content-length").every((length) => Number(length) === 0);
  if (!isUpgrade) {
    return "none";
  }
  const versions = linesOf("sec-websocket-version");
  return versions.length === 1 && versions[0] === "13" ? "good" : "other-version";
}

/** The items of a header that is a list, whose case does not matter. */
function tokensOf(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(",")).map((token) => token.trim().toLowerCase());
}
