import { isIPv4, isIPv6 } from "node:net";

/**
 * The canonical text of a client's address: dotted decimal for IPv4, also when it comes mapped into IPv6
 * (RFC 4291 section 2.5.5.2), else RFC 5952. @throws TypeError when the bytes are neither 4 nor 16.
 */
export function canonicalAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) {
    return bytes.join(".");
  }
  if (bytes.length !== 16) {
    throw new TypeError("not an IP address");
  }
  if (isMapped(bytes)) {
    return bytes.subarray(12).join(".");
  }
  return ipv6Text(bytes);
}

/**
 * The bytes of an address as it is written, 4 or 16, those of an IPv4 address that is mapped into IPv6 as 4.
 * Undefined when the text is no plain address: a zone, a port and brackets are none of it.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) {
    return Uint8Array.from(text.split("."), Number);
  }
  if (!isIPv6(text) || text.includes("%")) {
    return undefined;
  }
  const bytes = ipv6Bytes(text);
  return isMapped(bytes) ? bytes.subarray(12) : bytes;
}

/** Of a text that is known to be an IPv6 address. */
function ipv6Bytes(text: string): Uint8Array {
  const [head = [], tail = []] = text.split("::").map((half) =>
    half
      .split(":")
      .filter((group) => group !== "")
      .flatMap(groupBytes),
  );
  return Uint8Array.from([...head, ...Array<number>(16 - head.length - tail.length).fill(0), ...tail]);
}

function groupBytes(group: string): readonly number[] {
  if (group.includes(".")) {
    return group.split(".").map(Number);
  }
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
}

function ipv6Text(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2));
  const [start, length] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) {
    return hex.join(":");
  }
  return `${hex.slice(0, start).join(":")}::${hex.slice(start + length).join(":")}`;
}

/** The first of the longest runs of zero groups: where it starts, how long it is. */
function longestZeros(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start += 1) {
    let end = start;
    while (groups[end] === 0) {
      end += 1;
    }
    if (end - start > best[1]) {
      best = [start, end - start];
    }
  }
  return best;
}
