import { expect } from "chai";
import { startGatewayBeside } from "../support/gateway-process.ts";
import { operate } from "../support/operator.ts";
import { call, connectAndConfirm, logIn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Stack, startStack } from "../support/stack.ts";

const ACCOUNT = "sallyport.account.v1.AccountService";

/** What ends a session. */
interface End {
  readonly title: string;
  readonly act: (at: Scene) => Promise<unknown>;
}

/** Somebody with a socket at each of two gateways; `retired` was their chat token before. */
interface Scene {
  readonly stack: Stack;
  readonly besideUrl: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly accessToken: Buffer;
  readonly retired: Buffer;
}

const ENDS: readonly End[] = [
  {
    title: "a retired refresh token that comes after the grace",
    act: async ({ besideUrl, retired }) => {
      const thief = await RawSocket.open(besideUrl, "/connect/chat");
      thief.send(retired);
      expect((await thief.closed()).code).to.equal(4401);
    },
  },
  { title: "a logout", act: ({ stack, accessToken }) => call(stack.httpUrl, `${ACCOUNT}/Logout`, {}, accessToken) },
  { title: "a logout everywhere", act: ({ stack, accessToken }) => call(stack.httpUrl, `${ACCOUNT}/LogoutEverywhere`, {}, accessToken) },
  {
    title: "a revocation by its owner",
    act: ({ stack, accessToken, sessionId }) => call(stack.httpUrl, `${ACCOUNT}/RevokeSession`, { sessionId }, accessToken),
  },
  {
    title: "an operator who locks the account",
    act: ({ stack, accountId }) => operate(stack, "AdminService/SetAccountLocked", { accountId, locked: true }),
  },
  { title: "an operator who ends its sessions", act: ({ stack, accountId }) => operate(stack, "AdminService/EndSessions", { accountId }) },
  {
    title: "the deletion of the account",
    act: ({ stack, accessToken }) => call(stack.httpUrl, `${ACCOUNT}/DeleteAccount`, {}, accessToken),
  },
];

describe("a session with sockets at two gateways", () => {
  for (const { title, act } of ENDS) {
    it(`loses all of them, and its access tokens at both, by ${title}`, async () => {
      await using stack = await startStack({ env: { ACCOUNT_REUSE_GRACE_MS: "0" } });
      await using beside = await startGatewayBeside(stack);
      const person = await logIn(stack.httpUrl);
      const here = await connectAndConfirm(stack.httpUrl, "account", person.tokens.account.refreshToken);
      const there = await connectAndConfirm(beside.httpUrl, "chat", person.tokens.chat.refreshToken);
      const { body } = await call(stack.httpUrl, `${ACCOUNT}/ListSessions`, {}, here.accessToken);
      const [session] = body["sessions"] as { sessionId: string }[];

      await act({
        stack,
        besideUrl: beside.httpUrl,
        accountId: person.accountId,
        sessionId: session?.sessionId ?? "",
        accessToken: here.accessToken,
        retired: person.tokens.chat.refreshToken,
      });
      const closes = [await here.socket.closed(), await there.socket.closed()];
      const used = [
        await call(stack.httpUrl, `${ACCOUNT}/GetAccount`, {}, here.accessToken),
        await call(beside.httpUrl, `${ACCOUNT}/GetAccount`, {}, here.accessToken),
        await call(beside.httpUrl, "sallyport.chat.v1.ChatService/ListPending", {}, there.accessToken),
      ];

      expect(closes.map(({ code }) => code)).to.deep.equal([4401, 4401]);
      expect(used.map(({ status }) => status)).to.deep.equal([401, 401, 401]);
    });
  }
});
