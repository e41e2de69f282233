import { createHash } from "node:crypto";
import { uuidBytes, uuidFromBytes } from "../../../platform/ids.ts";
import type { ReportPlace } from "../store/reports.ts";
import type { ReportDocument } from "../store/schema.ts";

/** Which reports a list shows; undefined: all. */
export type ListedState = ReportDocument["state"] | undefined;

const STATES: readonly ListedState[] = [undefined, "open", "resolved"];
/** State (1), time (8, big endian), report (16), checksum (4). */
const LENGTH = 29;
const CHECKED = 25;

/** Where a list goes on: base64url of 29 bytes. It names the last report that was shown, so newer ones do not move it. */
export function encodePageToken(state: ListedState, { createdAt, reportId }: ReportPlace): string {
  const checked = Buffer.alloc(CHECKED);
  checked.writeUInt8(STATES.indexOf(state));
  checked.writeBigUInt64BE(BigInt(createdAt), 1);
  uuidBytes(reportId).copy(checked, 9);
  return Buffer.concat([checked, checksum(checked)]).toString("base64url");
}

/** Reads what `encodePageToken` wrote for the same state; undefined for anything else. */
export function decodePageToken(token: string, state: ListedState): ReportPlace | undefined {
  const bytes = Buffer.from(token, "base64url");
  const checked = bytes.subarray(0, CHECKED);
  const isOurs = bytes.length === LENGTH && bytes.toString("base64url") === token && bytes.subarray(CHECKED).equals(checksum(checked));
  if (!isOurs || checked.readUInt8() !== STATES.indexOf(state)) {
    return undefined;
  }
  return { createdAt: Number(checked.readBigUInt64BE(1)), reportId: uuidFromBytes(checked.subarray(9)) };
}

function checksum(bytes: Uint8Array): Buffer {
  return createHash("sha256")
    .update(bytes)
    .digest()
    .subarray(0, LENGTH - CHECKED);
}
