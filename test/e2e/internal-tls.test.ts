import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { initKeys } from "../../platform/keys/rotation.ts";
import { Disposables } from "../../platform/lifecycle.ts";
import { chatService } from "../../proto/gen/policy/services.ts";
import { State } from "../../proto/gen/sallyport/chat/v1/chat.ts";
import { type Authority, makeAuthority } from "../support/certificates.ts";
import { issueFiles, roleUri, toEnvironment } from "../support/internal-certificates.ts";
import { freshDatabaseUri } from "../support/mongod.ts";
import { call, callOn, connectAndConfirm, logIn } from "../support/people.ts";
import { failToStart, startRoleProcess } from "../support/role-process.ts";
import { freePorts, type Stack, startStack } from "../support/stack.ts";
import { tracesOf } from "../support/traces.ts";

const ROLES = ["account", "chat", "gateway"] as const;
const OFF_LOOPBACK = {
  ACCOUNT_LISTEN: "0.0.0.0:9101",
  CHAT_LISTEN: "10.0.0.1:9102",
  ACCOUNT_TARGETS: "account.example:9101",
  CHAT_TARGETS: "dns:///chat.example:9102",
};

/** The environment of the roles on ports of this machine, each with a certificate that names its role. */
async function environments(directory: string, authority: Authority): Promise<Record<(typeof ROLES)[number], Record<string, string>>> {
  const [accountPort, chatPort, port, adminPort] = await freePorts(4);
  const shared = {
    ACCOUNT_LISTEN: `127.0.0.1:${accountPort}`,
    CHAT_LISTEN: `127.0.0.1:${chatPort}`,
    ACCOUNT_TARGETS: `dns:///localhost:${accountPort}`,
    CHAT_TARGETS: `127.0.0.1:${chatPort}`,
    GATEWAY_PORT: String(port),
    GATEWAY_ADMIN_PORT: String(adminPort),
    GATEWAY_DRAIN_MS: "0",
    MONGODB_URI: freshDatabaseUri(),
    SALLYPORT_DATA_DIR: directory,
    ACCOUNT_DEV_LOGIN: "on",
    SALLYPORT_LIMITS: "off",
  };
  const [account, chat, gateway] = await Promise.all(
    ROLES.map(async (role) => ({
      ...shared,
      ...toEnvironment(await issueFiles(directory, authority, { commonName: role, uris: [roleUri(role)] })),
    })),
  );
  return { account: account ?? {}, chat: chat ?? {}, gateway: gateway ?? {} };
}

async function deliverMessage(httpUrl: string): Promise<void> {
  const [alice, bob] = await Promise.all([logIn(httpUrl), logIn(httpUrl)]);
  const [sender, recipient] = await Promise.all(
    [alice, bob].map(({ tokens }) => connectAndConfirm(httpUrl, "chat", tokens.chat.refreshToken)),
  );
  if (sender === undefined || recipient === undefined) {
    throw new Error("nobody connected");
  }
  expect(await recipient.socket.event()).to.deep.equal({ queueEmpty: {} });

  const message = { recipientAccountId: bob.accountId, clientMessageId: randomUUID(), body: randomBytes(32) };
  const sending = callOn(sender.socket, chatService.methods.sendMessage, message);
  const { message: event } = await recipient.socket.event();
  recipient.socket.sendFrame({ $case: "ack", value: { messageIds: [event?.["id"] as string] } });

  expect((await sending).state).to.equal(State.DELIVERED);
  sender.socket.cut();
  recipient.socket.cut();
}

describe("processes that speak mutual TLS", () => {
  let parts: Disposables;
  let directory: string;
  let authority: Authority;

  beforeEach(async () => {
    parts = new Disposables();
    directory = await mkdtemp(join(tmpdir(), "sallyport-"));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    authority = await makeAuthority();
  });

  afterEach(() => parts[Symbol.asyncDispose]());

  it("serve a login, an exchange, a message and the end of an account over TCP, each with a certificate for its role", async () => {
    const env = await environments(directory, authority);
    await initKeys(join(directory, "keys"));
    for (const role of ROLES) {
      parts.use(await startRoleProcess(role, env[role]));
    }
    const httpUrl = `http://127.0.0.1:${env.gateway["GATEWAY_PORT"]}`;

    await deliverMessage(httpUrl);
    const [carol, dave] = [await logIn(httpUrl), await logIn(httpUrl)];
    const [online, body] = [await connectAndConfirm(httpUrl, "chat", dave.tokens.chat.refreshToken), randomBytes(64)];
    const { accessToken, socket } = await connectAndConfirm(httpUrl, "account", carol.tokens.account.refreshToken);
    const waiting = { recipientAccountId: carol.accountId, clientMessageId: randomUUID(), body };
    const { state } = await callOn(online.socket, chatService.methods.sendMessage, waiting);
    const deleted = await call(httpUrl, "sallyport.account.v1.AccountService/DeleteAccount", {}, accessToken);

    expect([state, deleted.status]).to.deep.equal([State.STORED, 200]);
    // Only the account service, over its channel to chat, has this erased.
    await untilErased(env.chat["MONGODB_URI"] ?? "", body);
    online.socket.cut();
    socket.cut();
  }).timeout(40_000);

  it("are started by the launcher on TCP ports as well", async () => {
    const [accountPort, chatPort] = await freePorts(2);
    const files = toEnvironment(await issueFiles(directory, authority, { commonName: "all", uris: ROLES.map(roleUri) }));
    await using stack: Stack = await startStack({
      env: { ...files, ACCOUNT_LISTEN: `127.0.0.1:${accountPort}`, CHAT_LISTEN: `localhost:${chatPort}` },
    });

    await deliverMessage(stack.httpUrl);
  });

  it("do not start, and say why in one message, when a file of theirs is missing or is not theirs", async () => {
    const env = await environments(directory, authority);
    await initKeys(join(directory, "keys"));

    for (const role of ROLES) {
      const partial = await failToStart(role, { ...env[role], INTERNAL_TLS_CERT_FILE: "" });
      const missing = await failToStart(role, { ...env[role], INTERNAL_TLS_CERT_FILE: join(directory, "none.pem") });
      const foreign = await failToStart(role, {
        ...env[role],
        INTERNAL_TLS_KEY_FILE: join(directory, `${role === "chat" ? "account" : "chat"}-key.pem`),
      });

      expect([partial.code, missing.code, foreign.code]).to.deep.equal([2, 2, 2]);
      expect(partial.message).to.match(/^sallyport: wrong configuration:\n {2}INTERNAL_TLS_CERT_FILE: [^\n]*\n$/);
      expect(missing.message).to.match(
        /^sallyport: wrong configuration:\n {2}INTERNAL_TLS_CERT_FILE: [^\n]*none.pem cannot be read \(ENOENT\)\n$/,
      );
      expect(foreign.message).to.match(/^sallyport: wrong configuration:\n {2}INTERNAL_TLS_KEY_FILE: is not the key [^\n]*\n$/);
    }
  });

  it("are not started by the launcher with a file that is missing: one message, before anything runs", async () => {
    const files = toEnvironment(await issueFiles(directory, authority, { commonName: "all" }));

    const { code, message } = await failToStart("start", {
      ...files,
      INTERNAL_TLS_KEY_FILE: join(directory, "none.pem"),
      SALLYPORT_DATA_DIR: directory,
    });

    expect(code).to.equal(2);
    expect(message).to.match(/^sallyport: wrong configuration:\n {2}INTERNAL_TLS_KEY_FILE: [^\n]*\n$/);
  });
});

describe("addresses beyond this machine", () => {
  it("are refused without mutual TLS, in one message that names every one of them", async () => {
    const refusals = await Promise.all(
      (["start", ...ROLES] as const).map((role) => failToStart(role, { ...OFF_LOOPBACK, SALLYPORT_DATA_DIR: "/nowhere" })),
    );

    expect(refusals.map(({ code }) => code)).to.deep.equal([2, 2, 2, 2]);
    expect(refusals.map(({ message }) => namesIn(message))).to.deep.equal([
      ["ACCOUNT_LISTEN", "ACCOUNT_TARGETS", "CHAT_LISTEN", "CHAT_TARGETS"],
      ["ACCOUNT_LISTEN", "CHAT_TARGETS"],
      ["ACCOUNT_TARGETS", "CHAT_LISTEN"],
      ["ACCOUNT_TARGETS", "CHAT_TARGETS"],
    ]);
    expect(refusals.every(({ message }) => message.includes("INTERNAL_TLS_CA_FILE"))).to.equal(true);
  });
});

function namesIn(message: string): readonly string[] {
  return message
    .split("\n")
    .flatMap((line) => /^ {2}(\w+):/.exec(line)?.[1] ?? [])
    .sort();
}

async function untilErased(mongodbUri: string, body: Buffer): Promise<void> {
  const giveUpAt = Date.now() + 15_000;
  while ((await tracesOf(mongodbUri, body)).length > 0) {
    expect(Date.now(), "it is never erased").to.be.lessThan(giveUpAt);
  }
}
