import { randomUUID, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { Agent, request } from "node:https";
import { json } from "node:stream/consumers";
import { connect } from "node:tls";
import { expect } from "chai";
import { SendMessageRequest, SendMessageResponse } from "../../proto/gen/sallyport/chat/v1/chat.ts";
import { CertificateFiles } from "../support/certificate-files.ts";
import { exchange } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { startStack } from "../support/stack.ts";

const SEND = "/sallyport.chat.v1.ChatService/SendMessage";
const BLOCKED = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";
const LOGIN = "/sallyport.account.v1.AccountService/Login";

interface LoggedIn {
  readonly accountId: string;
  readonly tokens: { readonly chat: { readonly refreshToken: string } };
}

async function post(url: string, ca: string, body: unknown, token?: Buffer): Promise<{ status: number | undefined; body: unknown }> {
  const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token.toString("base64")}` } : {}) };
  const asked = request(url, { method: "POST", headers, agent: new Agent({ ca, keepAlive: false }) }).end(JSON.stringify(body));
  const [response] = await once(asked, "response");
  return { status: response.statusCode, body: await json(response) };
}

async function servedSerial(url: string, ca: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ca });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

describe("a stack with TLS", () => {
  it("serves logins, exchanges, messages and calls to who trusts its authority, and takes a new certificate without ending a socket", async () => {
    await using files = await CertificateFiles.create();
    const ca = files.authority.cert;
    await using stack = await startStack({ env: files.env });

    const login = await post(`${stack.httpUrl}${LOGIN}`, ca, { dev: { name: randomUUID() } });
    const { accountId, tokens } = login.body as LoggedIn;
    await using socket = await RawSocket.open(stack.httpUrl, "/connect/chat", { ca });
    const { accessToken } = await exchange(socket, Buffer.from(tokens.chat.refreshToken, "base64"));
    const message = { recipientAccountId: accountId, clientMessageId: randomUUID(), body: Buffer.from("hello") };
    const call = { method: SEND, request: Buffer.from(SendMessageRequest.encode(message).finish()), timeoutMs: 0 };
    socket.sendFrame({ $case: "call", value: { id: 1, ...call } });
    const before = await socket.replyTo(1);
    const renewed = await files.issue();
    await files.swapLink(renewed);
    const { serialNumber } = new X509Certificate(renewed.cert);
    while ((await servedSerial(stack.httpUrl, ca)) !== serialNumber) {
      // The gateway has not looked yet.
    }
    socket.sendFrame({ $case: "call", value: { id: 2, ...call } });
    const after = await socket.replyTo(2);
    const blocked = await post(`${stack.httpUrl}${BLOCKED}`, ca, {}, accessToken);

    expect(stack.httpUrl).to.match(/^https:/);
    expect([before.code, after.code]).to.deep.equal([0, 0]);
    expect(SendMessageResponse.decode(after.response).messageId).to.equal(SendMessageResponse.decode(before.response).messageId);
    expect(blocked).to.deep.equal({ status: 200, body: {} });
  });

  it("is refused by who does not trust its authority", async () => {
    await using files = await CertificateFiles.create();
    await using stack = await startStack({ env: files.env });

    const error: unknown = await fetch(stack.httpUrl).catch((reason: unknown) => reason);

    expect(error).to.be.an("error").with.nested.property("cause.code", "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });
});

describe("a certificate that cannot be used", () => {
  it("stops the start of a stack with one message that names its variable", async () => {
    await using files = await CertificateFiles.create();
    const env = { ...files.env, GATEWAY_TLS_KEY_FILE: `${files.directory}/nowhere.pem` };

    const error: unknown = await startStack({ env }).catch((reason: unknown) => reason);

    expect(error)
      .to.be.an("error")
      .with.property("message")
      .that.matches(/GATEWAY_TLS_KEY_FILE: cannot read \S+nowhere\.pem \(ENOENT\)/);
  });
});
