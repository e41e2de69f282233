/**
 * The client library: what an app embeds, in a browser and in Node.
 *
 * ```ts
 * const store = browserTokenStore("my-app"); // Node: fileTokenStore(directory)
 * const client = createClient({ url: "https://chat.example" }); // Node 20: and surroundings: nodeSurroundings()
 * await client.login({ dev: { name: "alice" } }, store);
 *
 * const connection = client.connect(["account", "chat"], { store });
 * await connection.chat.sendMessage({ recipientAccountId, clientMessageId: crypto.randomUUID(), body }, { timeoutMs: 30_000 });
 * for await (const message of connection.messages()) {
 *   await keep(message); // asking for the next message acknowledges this one
 * }
 * ```
 *
 * What the library sees to:
 * - the token exchange: a new refresh token is in the app's store before anything more is sent, and the tabs or processes that share a
 *   store take turns (token-store.ts);
 * - reconnecting, as the close codes ask for (close-codes.ts): the connection ends for good only when the app closes it, a newer socket
 *   of the account took over, or the app must log in again; `connection.ended` says which;
 * - calls: those that may be repeated are, through reconnects and outages, until their deadline. `sendMessage` is one of them: the server
 *   knows a message by its `clientMessageId`. What a rate limit refused is made again once its time has come. Large requests go over HTTP.
 *   Attempts are at most 1.2 times the calls and a few; while a service is down, calls wait for it to be well again (retry-budget.ts);
 * - messages: each reaches the app once as long as `seen` remembers it, and is acknowledged when the app has handled it.
 */
import type { ServiceName } from "../proto/method.ts";
import { Connection } from "./connection.ts";
import { type Credential, type LoggedIn, type LoginOptions, login } from "./login.ts";
import type { SeenMessages } from "./seen-messages.ts";
import { type Surroundings, standardSurroundings } from "./surroundings.ts";
import { Throttles } from "./throttle.ts";
import type { TokenStore } from "./token-store.ts";

/** Where the server is, and on what the library runs. */
export interface ClientOptions {
  /** The gateway's HTTP address. */
  readonly url: string;
  /** Browsers and Node 22 need none, Node 20 those of node.ts. */
  readonly surroundings?: Surroundings;
}

/** How a connection is made. */
export interface ConnectOptions {
  readonly store: TokenStore;
  /** Which messages were handled; in memory when left out. */
  readonly seen?: SeenMessages;
  /** How long one socket may take from its beginning to the end of its exchange; default 20 s. */
  readonly exchangeTimeoutMs?: number;
}

/** A server, as an app sees it. */
export interface Client {
  /** Makes a session and puts its refresh tokens into the store. @throws CallError */
  login(credential: Credential, store: TokenStore, options?: LoginOptions): Promise<LoggedIn>;
  /** Starts a connection with the session in the store, and keeps it up. */
  connect(services: readonly ServiceName[], options: ConnectOptions): Connection;
}

/** A client of the server at a URL. @throws TypeError when the URL is none of http or https */
export function createClient({ url, surroundings = standardSurroundings() }: ClientOptions): Client {
  const { protocol, origin, pathname } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") {
    throw new TypeError("the URL of a server begins with http: or https:");
  }
  const baseUrl = `${origin}${pathname}`.replace(/\/+$/, "");
  const throttles = new Throttles(surroundings);
  return {
    login: (credential, store, options) => login({ surroundings, throttle: throttles.of("account") }, baseUrl, credential, store, options),
    connect: (services, options) => new Connection({ surroundings, baseUrl, services, throttles, ...options }),
  };
}
