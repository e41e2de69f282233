import { expect } from "chai";
import { call, connect, connectAndConfirm, logIn, type Person } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Stack, sharedStack } from "../support/stack.ts";

const service = (method: string): string => `sallyport.account.v1.AccountService/${method}`;

describe("sessions", () => {
  let stack: Stack;

  before(async () => {
    stack = await sharedStack();
  });

  async function goOnline(person: Person): Promise<{ socket: RawSocket; accessToken: Buffer; refreshToken: Buffer }> {
    return connectAndConfirm(stack.httpUrl, "account", person.tokens.account.refreshToken);
  }

  it("makes the account on the first login of a name and finds it on the next", async () => {
    const first = await call(stack.httpUrl, service("Login"), { dev: { name: "Zoë 🦊 first" } });
    const second = await call(stack.httpUrl, service("Login"), { dev: { name: "Zoë 🦊 first" } });
    const other = await call(stack.httpUrl, service("Login"), { dev: { name: "zoë 🦊 first" } });

    expect([first.body["created"], second.body["created"] ?? false, other.body["created"]]).to.deep.equal([true, false, true]);
    expect(second.body["accountId"]).to.equal(first.body["accountId"]);
    expect(other.body["accountId"]).to.not.equal(first.body["accountId"]);
  });

  it("makes one account out of parallel first logins", async () => {
    const name = `crowd ${Date.now()}`;

    const logins = await Promise.all(Array.from({ length: 20 }, () => call(stack.httpUrl, service("Login"), { dev: { name } })));

    expect(new Set(logins.map(({ body }) => body["accountId"])).size).to.equal(1);
    expect(logins.filter(({ body }) => body["created"] === true)).to.have.length(1);
  });

  it("lists the live sessions and says which one asks", async () => {
    const phone = await logIn(stack.httpUrl);
    const { body: laptop } = await call(stack.httpUrl, service("Login"), {
      dev: { name: phone.name },
      client: { platform: "laptop", version: "1.2.3" },
    });
    const online = await goOnline(phone);

    const { body } = await call(stack.httpUrl, service("ListSessions"), {}, online.accessToken);

    const sessions = body["sessions"] as Record<string, unknown>[];
    expect(laptop["accountId"]).to.equal(phone.accountId);
    expect(
      sessions.map(({ current, client }) => [current ?? false, (client as { platform?: string } | undefined)?.platform]),
    ).to.deep.equal([
      [false, "laptop"],
      [true, undefined],
    ]);
    online.socket.cut();
  });

  it("ends a revoked session: sockets 4401, access tokens 401, refresh tokens 4401", async () => {
    const phone = await logIn(stack.httpUrl);
    const laptop = await logIn(stack.httpUrl, phone.name);
    const [onPhone, onLaptop] = [await goOnline(phone), await goOnline(laptop)];
    const { body } = await call(stack.httpUrl, service("ListSessions"), {}, onPhone.accessToken);
    const lost = (body["sessions"] as { sessionId: string; current?: boolean }[]).find(({ current }) => current !== true);

    const revoked = await call(stack.httpUrl, service("RevokeSession"), { sessionId: lost?.sessionId }, onPhone.accessToken);
    const close = await onLaptop.socket.closed();

    expect(revoked.status).to.equal(200);
    expect(close.code).to.equal(4401);
    expect((await call(stack.httpUrl, service("GetAccount"), {}, onLaptop.accessToken)).status).to.equal(401);
    await using again = await RawSocket.open(stack.httpUrl, "/connect/account");
    again.send(onLaptop.refreshToken);
    expect(await again.next()).to.deep.include({ closed: 4401 });
    expect((await call(stack.httpUrl, service("GetAccount"), {}, onPhone.accessToken)).status).to.equal(200);
    onPhone.socket.cut();
  });

  it("does not let one end another account's session: 404", async () => {
    const [alice, eve] = [await logIn(stack.httpUrl), await logIn(stack.httpUrl)];
    const [onAlice, onEve] = [await goOnline(alice), await goOnline(eve)];
    const { body } = await call(stack.httpUrl, service("ListSessions"), {}, onAlice.accessToken);
    const [session] = body["sessions"] as { sessionId: string }[];

    const answer = await call(stack.httpUrl, service("RevokeSession"), { sessionId: session?.sessionId }, onEve.accessToken);

    expect([answer.status, answer.body["code"]]).to.deep.equal([404, "not_found"]);
    expect((await call(stack.httpUrl, service("GetAccount"), {}, onAlice.accessToken)).status).to.equal(200);
    onAlice.socket.cut();
    onEve.socket.cut();
  });

  it("logs out this session alone, with the tokens of all its services", async () => {
    const [phone, laptop] = await logIn(stack.httpUrl).then(async (first) => [first, await logIn(stack.httpUrl, first.name)] as const);
    const [onPhone, onLaptop] = [await goOnline(phone), await goOnline(laptop)];
    const chat = await connectAndConfirm(stack.httpUrl, "chat", phone.tokens.chat.refreshToken);

    const answer = await call(stack.httpUrl, service("Logout"), {}, onPhone.accessToken);

    expect(answer.status).to.equal(200);
    expect((await chat.socket.closed()).code).to.equal(4401);
    expect((await onPhone.socket.closed()).code).to.equal(4401);
    expect((await call(stack.httpUrl, service("GetAccount"), {}, onLaptop.accessToken)).status).to.equal(200);
    onLaptop.socket.cut();
  });

  it("logs out everywhere, this session included", async () => {
    const phone = await logIn(stack.httpUrl);
    const laptop = await logIn(stack.httpUrl, phone.name);
    const [onPhone, onLaptop] = [await goOnline(phone), await goOnline(laptop)];

    const answer = await call(stack.httpUrl, service("LogoutEverywhere"), {}, onPhone.accessToken);

    expect(answer.status).to.equal(200);
    expect((await onLaptop.socket.closed()).code).to.equal(4401);
    expect((await onPhone.socket.closed()).code).to.equal(4401);
  });

  it("lets an access token live as long as its socket: 401 soon after its end", async () => {
    const online = await goOnline(await logIn(stack.httpUrl));
    expect((await call(stack.httpUrl, service("GetAccount"), {}, online.accessToken)).status).to.equal(200);

    online.socket.cut();
    let answer = await call(stack.httpUrl, service("GetAccount"), {}, online.accessToken);
    while (answer.status === 200) {
      answer = await call(stack.httpUrl, service("GetAccount"), {}, online.accessToken);
    }

    expect([answer.status, answer.body["code"]]).to.deep.equal([401, "unauthenticated"]);
  });

  it("takes no access token of a login, which is for debug mode", async () => {
    const { tokens } = await logIn(stack.httpUrl);

    const answer = await call(stack.httpUrl, service("GetAccount"), {}, tokens.account.accessToken);

    expect(answer.status).to.equal(401);
  });

  it("takes an access token only from its socket's address", async () => {
    const connected = await connect(stack.httpUrl, "account", (await logIn(stack.httpUrl)).tokens.account.refreshToken);

    const elsewhere = await callFrom("127.0.0.2", stack.httpUrl, service("GetAccount"), connected.accessToken);
    const here = await callFrom("127.0.0.1", stack.httpUrl, service("GetAccount"), connected.accessToken);

    expect([elsewhere, here]).to.deep.equal([401, 200]);
    connected.socket.cut();
  });

  it("refuses a dev name that is empty or over 64 code points, and counts code points, not units", async () => {
    const statuses = await Promise.all(
      ["", "x".repeat(65), "🦊".repeat(64)].map(async (name) => (await call(stack.httpUrl, service("Login"), { dev: { name } })).status),
    );

    expect(statuses).to.deep.equal([400, 400, 200]);
  });

  it("knows no OpenID Connect provider that is not configured: 400", async () => {
    const answer = await call(stack.httpUrl, service("Login"), { oidc: { provider: "google", idToken: "x.y.z", nonce: "n" } });

    expect([answer.status, answer.body["code"]]).to.deep.equal([400, "invalid_argument"]);
    expect(JSON.stringify(answer.body)).to.contain("oidc.provider");
  });
});

describe("debug mode", () => {
  it("lets the access token of a login work at once, from anywhere", async () => {
    const stack = await sharedStack({ SALLYPORT_DEBUG: "on" });
    const { tokens } = await logIn(stack.httpUrl);

    const statuses = [
      await callFrom("127.0.0.1", stack.httpUrl, service("GetAccount"), tokens.account.accessToken),
      await callFrom("127.0.0.2", stack.httpUrl, service("GetAccount"), tokens.account.accessToken),
      await callFrom("127.0.0.1", stack.httpUrl, service("GetAccount"), tokens.chat.accessToken),
    ];

    expect(statuses).to.deep.equal([200, 200, 403]);
  });
});

describe("dev logins", () => {
  it("are refused with 403 when they are switched off", async () => {
    const stack = await sharedStack({ ACCOUNT_DEV_LOGIN: "off" });

    const answer = await call(stack.httpUrl, service("Login"), { dev: { name: "alice" } });

    expect([answer.status, answer.body["code"]]).to.deep.equal([403, "permission_denied"]);
  });
});

/** The status of a call made from one of this machine's loopback addresses. */
async function callFrom(localAddress: string, httpUrl: string, method: string, accessToken: Buffer): Promise<number> {
  const { request } = await import("node:http");
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${accessToken.toString("base64")}` };
    const outgoing = request(`${httpUrl}/${method}`, { method: "POST", headers, localAddress, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    outgoing.on("error", reject);
    outgoing.end("{}");
  });
}
