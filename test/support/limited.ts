import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import type { Any } from "../../proto/gen/google/protobuf/any.ts";
import { ErrorInfo, RetryInfo } from "../../proto/gen/google/rpc/error_details.ts";

/** What an HTTP request came to. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly json: Record<string, unknown>;
}

/** What a refusal by a rate limit says. */
export interface Refusal {
  readonly reason: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Calls a method over HTTP with a JSON text, from a source address of the loopback network. */
export async function callFrom(
  localAddress: string,
  httpUrl: string,
  path: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpAnswer> {
  const sent = request(`${httpUrl}${path}`, {
    method: "POST",
    localAddress,
    agent: false,
    headers: { "content-type": "application/json", ...headers },
  });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return await read(response);
}

/** Asks for a socket from a source address, and reads why it is refused. Rejects when it is not. */
export async function refusedUpgradeFrom(localAddress: string, httpUrl: string, path: string): Promise<HttpAnswer> {
  const sent = request(`${httpUrl}${path}`, {
    localAddress,
    agent: false,
    headers: {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16, 1).toString("base64"),
    },
  });
  sent.end();
  const upgraded = once(sent, "upgrade").then(([, socket]) => {
    socket.destroy();
    throw new Error("the upgrade was not refused");
  });
  const [response] = (await Promise.race([once(sent, "response"), upgraded])) as [IncomingMessage];
  return await read(response);
}

/** The details of an error that came over HTTP. */
export function refusalOf({ json }: HttpAnswer): Refusal {
  const details = (json["details"] ?? []) as { type: string; value: string }[];
  return readRefusal(details.map(({ type, value }) => ({ typeUrl: type, value: Buffer.from(value, "base64") })));
}

/** The details of an error, google.rpc messages. */
export function readRefusal(details: readonly Any[]): Refusal {
  const find = (name: string): Uint8Array | undefined => details.find(({ typeUrl }) => typeUrl.endsWith(`google.rpc.${name}`))?.value;
  const [info, retry] = [find("ErrorInfo"), find("RetryInfo")];
  const delay = retry && RetryInfo.decode(retry).retryDelay;
  return { reason: info && ErrorInfo.decode(info).reason, retryAfterMs: delay && delay.seconds * 1_000 + delay.nanos / 1_000_000 };
}

async function read(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString();
  return { status: response.statusCode ?? 0, headers: response.headers, json: JSON.parse(text || "{}") as Record<string, unknown> };
}
