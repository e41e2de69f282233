import type { DescMessage } from "@bufbuild/protobuf";
import { SallyportError } from "../platform/errors.ts";
import { hasMoreFields } from "./field-count.ts";
import { SCAN_START, scanJson } from "./json-scan.ts";
import { MalformedError } from "./wire-reader.ts";

/** Values or fields, of one request. The largest that anybody needs has some thousands: whatever parses more stops everybody else meanwhile. */
const MAX_PARTS = 50_000;
/** Arrays and objects within each other. */
const MAX_DEPTH = 100;

type Body = AsyncIterable<Uint8Array>;

/** Passes a JSON body on and refuses it once it is no UTF-8: the Connect library would read U+FFFD there, and different names as one. */
export async function* refusingMalformedText(body: Body): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const check = (chunk: Uint8Array, stream: boolean): void => {
    try {
      decoder.decode(chunk, { stream });
    } catch {
      throw new SallyportError("INVALID_ARGUMENT", "the request is not UTF-8", { reason: "MALFORMED_REQUEST" });
    }
  };
  for await (const chunk of body) {
    check(chunk, true);
    yield chunk;
  }
  check(new Uint8Array(0), false);
}

/** Passes a JSON body on and refuses it as soon as it holds more than anybody needs. */
export async function* refusingComplexText(body: Body): AsyncGenerator<Uint8Array> {
  let scan = SCAN_START;
  for await (const chunk of body) {
    scan = scanJson(scan, chunk);
    if (scan.parts > MAX_PARTS || scan.deepest > MAX_DEPTH) {
      throw tooComplex();
    }
    yield chunk;
  }
}

/** Passes a protobuf body on and refuses it at its end when it holds more than anybody needs, so before it is decoded. */
export async function* refusingComplexFields(desc: DescMessage, body: Body): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) {
    chunks.push(chunk);
    yield chunk;
  }
  if (isTooComplex(desc, Buffer.concat(chunks))) {
    throw tooComplex();
  }
}

function isTooComplex(desc: DescMessage, bytes: Uint8Array): boolean {
  try {
    return hasMoreFields(MAX_PARTS, desc, bytes);
  } catch (error) {
    if (error instanceof MalformedError) {
      throw new SallyportError("INVALID_ARGUMENT", "the request is malformed", { reason: "MALFORMED_REQUEST" });
    }
    throw error;
  }
}

function tooComplex(): SallyportError {
  return new SallyportError("INVALID_ARGUMENT", "the request has too many parts, or is nested too deeply", {
    reason: "REQUEST_TOO_COMPLEX",
  });
}
