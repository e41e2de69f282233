import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { inspect } from "node:util";
import { expect } from "chai";
import { MongoClient } from "mongodb";
import { pino } from "pino";
import { chatService } from "../../proto/gen/policy/services.ts";
import type { Reply } from "../../proto/gen/sallyport/gateway/v1/frames.ts";
import { type Canaries, findLeaks, type Leak } from "../support/canaries.ts";
import { startGatewayBeside } from "../support/gateway-process.ts";
import { CLIENT_ID, type IdentityProvider, startIdentityProvider } from "../support/identity-provider.ts";
import { operate } from "../support/operator.ts";
import { callOn, confirm, connect, connectAndConfirm, logIn, type Person, refusalOn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { type Stack, sharedStack, startStack } from "../support/stack.ts";

const LOGIN = "/sallyport.account.v1.AccountService/Login";
const GET_ACCOUNT = "/sallyport.account.v1.AccountService/GetAccount";
const REPORT = "/sallyport.chat.v1.ChatService/ReportMessages";
const SEND = "/sallyport.chat.v1.ChatService/SendMessage";
const FIND = "/sallyport.account.v1.AdminService/FindAccount";

/** Where a stack says something: its log, its metrics, what it refuses with. */
type Surfaces = Readonly<Record<"log" | "metrics" | "httpErrors" | "socketErrors", string>>;

/** What is done with a stack, the secrets that were used, and the refusals that came back. */
class Run {
  readonly stack: Stack;
  readonly canaries: Record<string, Uint8Array | string> = {};
  readonly #httpErrors: string[] = [];
  readonly #socketErrors: string[] = [];

  constructor(stack: Stack) {
    this.stack = stack;
  }

  /** A secret that must be found nowhere. */
  hide<T extends Uint8Array | string>(name: string, secret: T): T {
    this.canaries[name] = secret;
    return secret;
  }

  hideAll(person: Person): Person {
    for (const [service, tokens] of Object.entries(person.tokens)) {
      this.hide(`${person.name} ${service} refresh`, tokens.refreshToken);
      this.hide(`${person.name} ${service} access`, tokens.accessToken);
    }
    return person;
  }

  async post(url: string, body: string, headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
    const response = await fetch(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
    const text = await response.text();
    if (!response.ok) {
      const details = text.startsWith("{") ? ((JSON.parse(text) as { details?: { value: string }[] }).details ?? []) : [];
      const decoded = details.map(({ value }) => Buffer.from(value, "base64").toString("latin1"));
      this.#httpErrors.push(text, ...decoded, JSON.stringify([...response.headers]));
    }
    return response.ok ? (JSON.parse(text) as Record<string, unknown>) : {};
  }

  refused({ message, details }: Reply): void {
    this.#socketErrors.push(message, ...details.map(({ value }) => Buffer.from(value).toString("latin1")));
  }

  async closed(socket: RawSocket): Promise<void> {
    this.#socketErrors.push((await socket.closed()).reason);
  }

  /** Ends the stack and answers all that it said. */
  async finish(): Promise<Surfaces> {
    const metrics = await (await fetch(`${this.stack.adminUrl}/metrics`)).text();
    await this.stack[Symbol.asyncDispose]();
    return { log: this.stack.log(), metrics, httpErrors: this.#httpErrors.join("\n"), socketErrors: this.#socketErrors.join("\n") };
  }
}

describe("what the processes say", () => {
  let directory: string;
  let provider: IdentityProvider;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "sallyport-canaries-"));
    provider = await startIdentityProvider();
  });

  after(async () => {
    await provider[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  it("holds no token, body, receipt, nonce or operator token: no log line, metric, error text, nor what an internal error leaves behind", async () => {
    const providers = join(directory, "providers.json");
    await writeFile(providers, JSON.stringify([{ name: "corp", issuer: provider.issuer, clientIds: [CLIENT_ID] }]));
    const env = { SALLYPORT_LOG_LEVEL: "trace", ACCOUNT_REUSE_GRACE_MS: "0", ACCOUNT_OIDC_PROVIDERS_FILE: providers };
    const run = new Run(await startStack({ env }));

    await signInWithIdTokens(run, provider);
    await sendAndReport(run);
    await showWrongTokens(run);
    await showStolenToken(run);
    await provokeInternalErrors(run);
    const surfaces = await run.finish();

    expect(Object.keys(run.canaries).length).to.be.greaterThan(20);
    for (const said of [
      "logged in",
      "refresh token reused",
      "id token refused",
      "operator token refused",
      "call failed",
      "body could not be read",
    ]) {
      expect(surfaces.log).to.include(`"${said}"`);
    }
    expect(surfaces.httpErrors).to.include("ID_TOKEN_REFUSED").and.include("MALFORMED_REQUEST").and.include("OPERATOR_TOKEN_REFUSED");
    expect(surfaces.socketErrors).to.include("CLIENT_MESSAGE_ID_REUSED");
    expect(leaksIn(surfaces, run.canaries)).to.deep.equal({ log: [], metrics: [], httpErrors: [], socketErrors: [] });
  }).timeout(120_000);

  it("names an error that nobody caught when it ends a process, and nothing that hangs on it", async () => {
    const document = randomBytes(64);
    const crash = `process.on("SIGUSR2", () => {
      throw Object.assign(new Error("of a driver"), { document: Buffer.from(process.env.DOCUMENT, "hex") });
    })`;
    await using gateway = await startGatewayBeside(await sharedStack(), {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}`,
      DOCUMENT: document.toString("hex"),
    });

    gateway.child.kill("SIGUSR2");
    const code = await gateway.ended;

    expect(code).to.equal(1);
    expect(gateway.log()).to.match(/"type":"Error","message":"of a driver","stack":.*"msg":"crashed"/);
    expect(findLeaks(gateway.log(), { document })).to.deep.equal([]);
  });
});

function leaksIn(surfaces: Surfaces, canaries: Canaries): Record<keyof Surfaces, readonly Leak[]> {
  const { log, metrics, httpErrors, socketErrors } = surfaces;
  return {
    log: findLeaks(log, canaries),
    metrics: findLeaks(metrics, canaries),
    httpErrors: findLeaks(httpErrors, canaries),
    socketErrors: findLeaks(socketErrors, canaries),
  };
}

async function signInWithIdTokens(run: Run, provider: IdentityProvider): Promise<void> {
  const { httpUrl } = run.stack;
  const nonce = run.hide("nonce", `nonce-${randomUUID()}`);
  const wrongNonce = run.hide("wrong nonce", `wrong-${randomUUID()}`);
  const subject = run.hide("subject", `subject-${randomUUID()}`);
  const idToken = await provider.authorize(subject, nonce);
  const [, claims = "", signature = ""] = idToken.split(".");
  run.hide("ID token's claims", claims);
  run.hide("ID token's signature", signature);
  const forged = `${idToken.slice(0, -8)}AAAAAAAA`;

  const login = (token: string, shown: string, name = "corp"): Promise<Record<string, unknown>> =>
    run.post(httpUrl + LOGIN, JSON.stringify({ oidc: { provider: name, idToken: token, nonce: shown } }));
  const { tokens } = await login(idToken, nonce);
  for (const [service, pair] of Object.entries(tokens as Record<string, Record<string, string>>)) {
    run.hide(`identity ${service} refresh`, Buffer.from(pair["refreshToken"] ?? "", "base64"));
  }
  await login(idToken, wrongNonce);
  await login(forged, nonce);
  await login(idToken, nonce, "nobody");
  await login(claims, nonce);
}

async function sendAndReport(run: Run): Promise<void> {
  const { httpUrl } = run.stack;
  const [alice, bob] = [run.hideAll(await logIn(httpUrl)), run.hideAll(await logIn(httpUrl))];
  const sender = await connectAndConfirm(httpUrl, "chat", alice.tokens.chat.refreshToken);
  const reader = await connect(httpUrl, "chat", bob.tokens.chat.refreshToken);
  run.hide("next refresh", sender.refreshToken);
  const body = run.hide("body", Buffer.from(`a body ${randomUUID()}`));
  const otherBody = run.hide("other body", Buffer.from(`another body ${randomUUID()}`));
  const message = { recipientAccountId: bob.accountId, clientMessageId: randomUUID(), body };

  const { receipt } = await callOn(sender.socket, chatService.methods.sendMessage, message);
  hideReceipt(run, receipt);
  run.refused(await refusalOn(sender.socket, chatService.methods.sendMessage, { ...message, body: otherBody }));
  await confirm(reader.socket);

  const access = { authorization: `Bearer ${run.hide("access", reader.accessToken).toString("base64")}` };
  const evidence = { receipt, body: body.toString("base64") };
  const report = (messages: readonly object[]): Promise<Record<string, unknown>> =>
    run.post(httpUrl + REPORT, JSON.stringify({ reason: run.hide("reason", `reason ${randomUUID()}`), messages }), access);
  await report([{ ...evidence, body: otherBody.toString("base64") }]);
  await report([{ ...evidence, receipt: receipt.slice(0, -4) }]);
  const { reportId } = await report([evidence]);
  await operate(run.stack, "ModerationService/GetReport", { reportId });
  const note = run.hide("note", `note ${randomUUID()}`);
  await operate(run.stack, "ModerationService/ResolveReport", { reportId, resolution: "RESOLUTION_ACCEPTED", note });
  await Promise.all([sender, reader].map(({ socket }) => socket[Symbol.asyncDispose]()));
}

function hideReceipt(run: Run, receipt: string): void {
  const [, claims = "", signature = ""] = receipt.split(".");
  run.hide(`claims of receipt ${signature}`, claims);
  run.hide(`signature of receipt ${signature}`, signature);
}

async function showWrongTokens(run: Run): Promise<void> {
  const { httpUrl, adminUrl, operatorToken } = run.stack;
  const own = run.hide("operator token", await operatorToken());
  const wrong = run.hide("wrong operator token", randomBytes(32).toString("base64url"));
  const access = run.hide("wrong access token", randomBytes(32)).toString("base64");
  const text = run.hide("text in a malformed request", `text ${randomUUID()}`);

  for (const shown of [`Bearer ${wrong}`, `Basic ${wrong}`, `Bearer ${own} ${own}`, wrong]) {
    await run.post(adminUrl + FIND, JSON.stringify({ devName: text }), { authorization: shown });
  }
  for (const shown of [`Bearer ${access}`, `Bearer ${access.slice(1)}`, `Basic ${access}`, `Bearer ${own}`]) {
    await run.post(httpUrl + GET_ACCOUNT, "{}", { authorization: shown });
  }
  for (const body of [`{"dev":{"name":"${text}"`, `{"dev":"${text}"}`, `{"${text}":`, text]) {
    await run.post(httpUrl + LOGIN, body);
  }
  await run.post(`${httpUrl}/${access}?token=${wrong}`, text);
  await run.post(httpUrl + SEND, JSON.stringify({ clientMessageId: text }), { authorization: `Bearer ${access}` });
  for (const frame of [run.hide("wrong refresh token", randomBytes(1024)), run.hide("short refresh token", randomBytes(100)), text]) {
    await using socket = await RawSocket.open(httpUrl, "/connect/chat");
    socket.send(frame);
    await run.closed(socket);
  }
}

async function showStolenToken(run: Run): Promise<void> {
  const carol = run.hideAll(await logIn(run.stack.httpUrl));
  const online = await connectAndConfirm(run.stack.httpUrl, "chat", carol.tokens.chat.refreshToken);
  run.hide("refresh of a session that ended", online.refreshToken);
  await using thief = await RawSocket.open(run.stack.httpUrl, "/connect/chat");

  thief.send(carol.tokens.chat.refreshToken);

  await run.closed(thief);
  await run.closed(online.socket);
}

/** Documents that no code of ours wrote, and writes that the database refuses: whatever is thrown then has the secrets at hand. */
async function provokeInternalErrors(run: Run): Promise<void> {
  const { httpUrl, mongodbUri } = run.stack;
  await using client = new MongoClient(mongodbUri);
  const base = new URL(mongodbUri.replace("mongodb:", "http:")).pathname.slice(1);
  const [account, chat] = [client.db(`${base}_account`), client.db(`${base}_chat`)];

  const dave = run.hideAll(await logIn(httpUrl));
  await account.collection("sessions").updateMany({ accountId: dave.accountId }, { $unset: { families: "" } });
  await using broken = await RawSocket.open(httpUrl, "/connect/chat");
  broken.send(dave.tokens.chat.refreshToken);
  await run.closed(broken);

  const [erin, frank] = [run.hideAll(await logIn(httpUrl)), run.hideAll(await logIn(httpUrl))];
  const sender = await connectAndConfirm(httpUrl, "chat", erin.tokens.chat.refreshToken);
  const send = (name: string): { recipientAccountId: string; clientMessageId: string; body: Buffer } => {
    const body = run.hide(name, Buffer.from(`${name} ${randomUUID()}`));
    return { recipientAccountId: frank.accountId, clientMessageId: randomUUID(), body };
  };
  await chat.command({ collMod: "inbox", validator: { nothing: "has this" } });
  run.refused(await refusalOn(sender.socket, chatService.methods.sendMessage, send("body that cannot be stored")));
  await chat.command({ collMod: "inbox", validator: {} });
  const reported = send("body whose report cannot be stored");
  const { receipt } = await callOn(sender.socket, chatService.methods.sendMessage, reported);
  hideReceipt(run, receipt);
  await chat.command({ collMod: "reports", validator: { nothing: "has this" } });
  const report = { messages: [{ receipt, body: reported.body.toString("base64") }] };
  await run.post(httpUrl + REPORT, JSON.stringify(report), { authorization: `Bearer ${sender.accessToken.toString("base64")}` });
  await callOn(sender.socket, chatService.methods.sendMessage, send("body that cannot be read"));
  await chat.collection("inbox").updateMany({}, { $set: { sealed: { scheme: "aes-256-gcm", kid: "none", bytes: randomBytes(64) } } });
  const reader = await connectAndConfirm(httpUrl, "chat", frank.tokens.chat.refreshToken);
  await reader.socket.event();
  await Promise.all([sender, reader].map(({ socket }) => socket[Symbol.asyncDispose]()));
}

describe("the scanner for canaries", () => {
  const secret = randomBytes(64);
  const canaries = { secret, text: `a text ${randomUUID()}` };

  /** What a logger would have written. */
  function logged(log: (logger: ReturnType<typeof pino>) => void): string {
    let lines = "";
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines += chunk.toString();
        done();
      },
    });
    log(pino({ level: "trace" }, sink));
    return lines;
  }

  for (const [where, form, canary, line] of [
    ["a field in base64", "base64", "secret", logged((logger) => logger.info({ token: secret.toString("base64") }))],
    ["a message in base64url", "base64", "secret", logged((logger) => logger.warn(`Bearer ${secret.toString("base64url")}`))],
    [
      "base64 of more than itself",
      "base64",
      "secret",
      logged((logger) => logger.debug(Buffer.concat([Buffer.of(1, 2), secret]).toString("base64"))),
    ],
    [
      "an error's text in hex",
      "hex",
      "secret",
      logged((logger) => logger.error(new Error(`no token ${secret.toString("hex").toUpperCase()}`))),
    ],
    ["a field of bytes", "numbers", "secret", logged((logger) => logger.info({ token: secret }))],
    ["bytes that are logged as a text", "escaped", "secret", logged((logger) => logger.info({ frame: secret.toString("latin1") }))],
    ["the cause of an error", "plain", "text", logged((logger) => logger.error(new Error("outer", { cause: new Error(canaries.text) })))],
    ["what Node prints of an error", "inspected", "secret", inspect(Object.assign(new Error("outer"), { document: { token: secret } }))],
    ["a URL", "percent", "text", `GET /?q=${encodeURIComponent(canaries.text)}`],
    ["a label of a metric", "plain", "text", `sallyport_calls_total{method="${canaries.text}"} 1`],
  ] as const) {
    it(`finds a secret in ${where}`, () => {
      expect(findLeaks(line, canaries)).to.deep.include({ canary, form });
    });
  }

  it("finds the end of a secret whose beginning was cut off", () => {
    expect(findLeaks(`…${secret.subarray(40).toString("base64")}`, canaries)).to.deep.include({ canary: "secret", form: "base64" });
  });

  it("finds nothing where nothing is", () => {
    const line = logged((logger) => logger.info({ accountId: randomUUID(), other: randomBytes(64) }, "says nothing"));

    expect(findLeaks(line, canaries)).to.deep.equal([]);
  });
});
