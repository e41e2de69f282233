import type { Caller } from "../../platform/rpc/call.ts";
import { call, connectAndConfirm, logIn } from "../support/people.ts";
import type { RawSocket } from "../support/raw-socket.ts";

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
