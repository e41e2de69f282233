import type { Caller } from "../../platform/rpc/call.ts";
import type { CallOptions } from "../../platform/rpc/client.ts";
import type { MethodContract } from "../../proto/contract.ts";
import { call, connectAndConfirm, logIn } from "../support/people.ts";
import type { RawSocket } from "../support/raw-socket.ts";
import type { Stack } from "../support/stack.ts";

/** Services that clients hold tokens of. */
export type Holder = "account" | "chat";

/** Somebody who has made both exchanges: access tokens that work, and a socket for each service. */
export interface Insider extends AsyncDisposable {
  readonly accountId: string;
  readonly sessionId: string;
  readonly accessTokens: Readonly<Record<Holder, string>>;
  readonly sockets: Readonly<Record<Holder, RawSocket>>;
}

/** Logs somebody new in and makes the exchange of both services. */
export async function createInsider(httpUrl: string): Promise<Insider> {
  const person = await logIn(httpUrl);
  const account = await connectAndConfirm(httpUrl, "account", person.tokens.account.refreshToken);
  const chat = await connectAndConfirm(httpUrl, "chat", person.tokens.chat.refreshToken);
  const { body } = await call(httpUrl, "sallyport.account.v1.AccountService/ListSessions", {}, account.accessToken);
  const [session] = body["sessions"] as { sessionId: string }[];
  return {
    accountId: person.accountId,
    sessionId: session?.sessionId ?? "",
    accessTokens: { account: account.accessToken.toString("base64"), chat: chat.accessToken.toString("base64") },
    sockets: { account: account.socket, chat: chat.socket },
    [Symbol.asyncDispose]: async () => {
      await account.socket[Symbol.asyncDispose]();
      await chat.socket[Symbol.asyncDispose]();
    },
  };
}

/** Who a gateway would say calls, when somebody has shown a service's token. */
export function callerWith(service: Holder, { accountId, sessionId }: Pick<Insider, "accountId" | "sessionId">): Caller {
  return { accountId, sessionId, service };
}

/** What a gateway says of who calls. */
export type Identity = Pick<CallOptions, "caller" | "isOperator">;

/** What a gateway would say of somebody who may call a method. */
export function identityFor(credential: string, insider: Pick<Insider, "accountId" | "sessionId">): Identity {
  const token = tokensFor(credential);
  return token ? { caller: callerWith(token.right, insider) } : { isOperator: credential === "operator" };
}

/** Where a method is served to those outside, and what who may call it shows there; undefined where it takes nothing. */
export interface Door {
  readonly url: string;
  readonly token: string | undefined;
}

/** The door of a method that is for apps or for operators. */
export async function doorOf(
  stack: Stack,
  { audience, credential }: MethodContract,
  insider: Pick<Insider, "accessTokens">,
): Promise<Door> {
  if (audience === "operator") {
    return { url: stack.adminUrl, token: await stack.operatorToken() };
  }
  const token = tokensFor(credential);
  return { url: stack.httpUrl, token: token && insider.accessTokens[token.right] };
}

/** The service whose token a method takes, and the other one; undefined: it takes none. */
export function tokensFor(credential: string): { right: Holder; wrong: Holder } | undefined {
  if (credential === "account") {
    return { right: "account", wrong: "chat" };
  }
  return credential === "chat" ? { right: "chat", wrong: "account" } : undefined;
}

/** The service that answers a method: its owner, or the account service for what every service offers. */
export function serverOf(owner: string): Holder {
  return owner === "chat" ? "chat" : "account";
}
