/** Secrets by name: bytes, or a text of ASCII. */
export type Canaries = Readonly<Record<string, Uint8Array | string>>;

/** A secret that was found where it must not be, and how it was written there. */
export interface Leak {
  readonly canary: string;
  readonly form: string;
}

/** So much of a secret in one piece counts as a leak of it. */
const WINDOW_BYTES = 16;

/**
 * Looks for secrets in a text: their beginnings, middles and ends, as they are, escaped, in hex, as Node prints buffers, in base64 at any
 * alignment, as lists of numbers, and percent-encoded.
 */
export function findLeaks(text: string, canaries: Canaries): readonly Leak[] {
  const folded = text.toLowerCase();
  return Object.entries(canaries).flatMap(([canary, secret]) => {
    const found = windowsOf(Buffer.from(secret)).flatMap((window) =>
      Object.entries(formsOf(window)).flatMap(([form, written]) => {
        const isThere = form === "hex" ? folded.includes(written.join()) : written.some((one) => text.includes(one));
        return isThere ? [form] : [];
      }),
    );
    return [...new Set(found)].map((form) => ({ canary, form }));
  });
}

function windowsOf(secret: Buffer): readonly Buffer[] {
  if (secret.length < WINDOW_BYTES) {
    throw new Error("too short to be told from anything else");
  }
  const last = secret.length - WINDOW_BYTES;
  return [0, Math.floor(last / 2), last].map((start) => secret.subarray(start, start + WINDOW_BYTES));
}

function formsOf(bytes: Buffer): Readonly<Record<string, readonly string[]>> {
  const texts = [bytes.toString("latin1"), bytes.toString("utf8")];
  const base64 = [0, 1, 2].map((offset) => base64Within(bytes, offset));
  return {
    plain: texts,
    escaped: texts.map((text) => JSON.stringify(text).slice(1, -1)),
    hex: [bytes.toString("hex")],
    inspected: [[...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")],
    base64: [...base64, ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))],
    numbers: [[...bytes].join(","), [...bytes].join(", ")],
    percent: [
      [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`).join(""),
      encodeURIComponent(texts[1] ?? ""),
    ],
  };
}

/** The characters that stand for these bytes alone, so many bytes after a multiple of three. */
function base64Within(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
}
