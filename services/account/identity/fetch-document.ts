/** Why a document of a provider could not be had. */
export type FetchFault = "unreachable" | "status" | "too-large" | "malformed" | "wrong-issuer" | "wrong-address" | "no-keys";

/** A document of a provider could not be had. */
export class DocumentUnavailable extends Error {
  readonly fault: FetchFault;

  constructor(fault: FetchFault, cause?: unknown) {
    super(`no document: ${fault}`, { cause });
    this.name = "DocumentUnavailable";
    this.fault = fault;
  }
}

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init: { redirect: "error"; headers: Record<string, string>; signal: AbortSignal }) => Promise<Response>;

/** A JSON object that was fetched, and the headers that it came with. */
export interface FetchedDocument {
  readonly content: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
}

/** No provider's documents come near this. */
const MAX_BYTES = 262_144;

/** Fetches a JSON object. No redirect is followed: a provider's document is where it says it is. @throws DocumentUnavailable */
export async function fetchDocument(fetch: Fetch, url: string, signal: AbortSignal): Promise<FetchedDocument> {
  try {
    const response = await fetch(url, { redirect: "error", headers: { accept: "application/json" }, signal });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new DocumentUnavailable("status");
    }
    return { content: parseObject(await readBody(response)), headers: response.headers };
  } catch (error) {
    throw error instanceof DocumentUnavailable ? error : new DocumentUnavailable("unreachable", error);
  }
}

async function readBody({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) {
      throw new DocumentUnavailable("too-large");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === "object" && content !== null && !Array.isArray(content)) {
      return content as Record<string, unknown>;
    }
  } catch {
    // Told apart from what is no object by nobody.
  }
  throw new DocumentUnavailable("malformed");
}
