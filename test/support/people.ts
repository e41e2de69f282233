import { randomUUID } from "node:crypto";
import type { Reply } from "../../proto/gen/sallyport/gateway/v1/frames.ts";
import type { Method } from "../../proto/method.ts";
import { RawSocket } from "./raw-socket.ts";
import { keepSecret } from "./run-secrets.ts";

/** What a login gave: an account and, by service, its refresh and access tokens. */
export interface Person {
  readonly accountId: string;
  readonly name: string;
  readonly tokens: Record<"account" | "chat", { refreshToken: Buffer; accessToken: Buffer }>;
}

/** Both tokens that an exchange gave. */
export interface Exchanged {
  readonly refreshToken: Buffer;
  readonly accessToken: Buffer;
}

/** An HTTP answer, its JSON read. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Calls a method over HTTP with JSON, and with a token: bytes go in base64. */
export async function call(httpUrl: string, method: string, request: unknown, token?: Buffer | string): Promise<Answer> {
  const bearer = Buffer.isBuffer(token) ? token.toString("base64") : token;
  const response = await fetch(`${httpUrl}/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) },
    body: JSON.stringify(request),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Logs a new person in, or one of that name again. */
export async function logIn(httpUrl: string, name: string = `p-${randomUUID()}`): Promise<Person> {
  const { status, body } = await call(httpUrl, "sallyport.account.v1.AccountService/Login", { dev: { name } });
  if (status !== 200) {
    throw new Error(`login answered ${status}`);
  }
  const tokens = body["tokens"] as Record<"account" | "chat", { refreshToken: string; accessToken: string }>;
  const pair = (service: "account" | "chat"): Person["tokens"]["account"] => ({
    refreshToken: Buffer.from(tokens[service].refreshToken, "base64"),
    accessToken: Buffer.from(tokens[service].accessToken, "base64"),
  });
  const person = { accountId: body["accountId"] as string, name, tokens: { account: pair("account"), chat: pair("chat") } };
  keepSecret(httpUrl, ...Object.values(person.tokens).flatMap(({ refreshToken, accessToken }) => [refreshToken, accessToken]));
  return person;
}

/** Presents a refresh token on an open socket and reads both successors. Confirms nothing. */
export async function exchange(socket: RawSocket, refreshToken: Buffer): Promise<Exchanged> {
  socket.send(refreshToken);
  const exchanged = { refreshToken: await socket.binary(), accessToken: await socket.binary() };
  keepSecret(socket.socket.url, exchanged.refreshToken, exchanged.accessToken);
  return exchanged;
}

/** A socket for one service whose exchange is made, and whose new refresh token is not confirmed. */
export async function connect(
  httpUrl: string,
  service: "account" | "chat",
  refreshToken: Buffer,
): Promise<Exchanged & { socket: RawSocket }> {
  const socket = await RawSocket.open(httpUrl, `/connect/${service}`);
  return { socket, ...(await exchange(socket, refreshToken)) };
}

/** The same, confirmed: by the answer to a call, so that the confirmation is known to be durable. */
export async function connectAndConfirm(
  httpUrl: string,
  service: "account" | "chat",
  refreshToken: Buffer,
): Promise<Exchanged & { socket: RawSocket }> {
  const connected = await connect(httpUrl, service, refreshToken);
  await confirm(connected.socket);
  return connected;
}

/** Confirms by a call that is not there: its reply leaves only once the confirmation is durable. */
export async function confirm(socket: RawSocket): Promise<void> {
  socket.sendFrame({ $case: "call", value: { id: 4_000_000_000, method: "/none", request: Buffer.alloc(0), timeoutMs: 0 } });
  await socket.reply();
}

/** Makes a typed call on a socket. @throws Error when the reply is no OK. */
export async function callOn<Request, Response>(socket: RawSocket, method: Method<Request, Response>, request: Request): Promise<Response> {
  const reply = await callRaw(socket, method, request);
  if (reply.code !== 0) {
    throw new Error(`${method.path} answered ${reply.code}: ${reply.message}`);
  }
  return method.response.decode(reply.response);
}

/** The reply that a call on a socket was refused with. */
export async function refusalOn<Request, Response>(socket: RawSocket, method: Method<Request, Response>, request: Request): Promise<Reply> {
  const reply = await callRaw(socket, method, request);
  if (reply.code === 0) {
    throw new Error(`${method.path} answered OK`);
  }
  return reply;
}

async function callRaw<Request, Response>(socket: RawSocket, method: Method<Request, Response>, request: Request): Promise<Reply> {
  const id = nextCallId();
  const encoded = Buffer.from(method.request.encode(request).finish());
  if (typeof request === "object" && request !== null && "body" in request && Buffer.isBuffer(request.body)) {
    keepSecret(socket.socket.url, request.body);
  }
  socket.sendFrame({ $case: "call", value: { id, method: method.path, request: encoded, timeoutMs: 0 } });
  return socket.replyTo(id);
}

let lastCallId = 0;

function nextCallId(): number {
  lastCallId += 1;
  return lastCallId;
}
