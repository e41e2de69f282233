import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { SallyportError } from "../../../platform/errors.ts";
import type { InternalTlsFiles } from "../../../platform/internal-tls.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { createLogger } from "../../../platform/logger.ts";
import { type Call, implement } from "../../../platform/rpc/call.ts";
import { Channel } from "../../../platform/rpc/channel.ts";
import { createClient } from "../../../platform/rpc/client.ts";
import { RelayClient } from "../../../platform/rpc/relay-client.ts";
import { startRpcServer } from "../../../platform/rpc/server.ts";
import { type ChannelTls, InternalTls } from "../../../platform/rpc/tls.ts";
import { directoryService, erasureService, leaseService } from "../../../proto/gen/policy/services.ts";
import { type Authority, makeAuthority } from "../../support/certificates.ts";
import { issueFiles, roleUri } from "../../support/internal-certificates.ts";

const ID = "0f8fad5b-d9cb-469f-a165-70867728950e";
const CALLER = { accountId: ID, sessionId: ID, service: "chat" } as const;
const LOOK_MS = 10;
const silent = createLogger("test", "silent");
const soon = (): number => Date.now() + 5_000;

describe("mutual TLS between the processes", () => {
  let parts: Disposables;
  let directory: string;
  let authority: Authority;
  let serverFiles: InternalTlsFiles;
  let target: string;
  let calls: Call[];

  const open = async (files: InternalTlsFiles): Promise<InternalTls> => {
    const tls = await InternalTls.open(files, silent, LOOK_MS);
    parts.defer(() => tls[Symbol.dispose]());
    return tls;
  };
  const issue = (commonName: string, subject: Partial<Parameters<typeof issueFiles>[2]> = {}, by: Authority = authority) =>
    issueFiles(directory, by, { commonName, ...subject });
  const channelOf = (tls?: ChannelTls, to: string = target): Channel => {
    const channel = new Channel(to, tls);
    parts.defer(() => channel[Symbol.dispose]());
    return channel;
  };
  const channelAs = async (...roles: string[]): Promise<Channel> =>
    channelOf((await open(await issue(`as-${roles.join("-")}`, { uris: roles.map(roleUri) }))).to("account"));

  beforeEach(async () => {
    parts = new Disposables();
    directory = await mkdtemp(join(tmpdir(), "sallyport-tls-"));
    parts.defer(() => rm(directory, { recursive: true }));
    authority = await makeAuthority();
    serverFiles = await issue("server");
    calls = [];
    const serve = (_: unknown, call: Call): Record<string, never> => {
      calls.push(call);
      return {};
    };
    const server = parts.use(
      await startRpcServer(
        {
          listen: "127.0.0.1:0",
          implementations: [
            ...implement(leaseService, { renewLease: serve, endLease: serve }),
            ...implement(directoryService, { filterAccounts: ({ accountIds }) => ({ accountIds }) }),
            ...implement(erasureService, { eraseAccount: serve }),
          ],
          observer: { gatewayJoined: () => undefined, gatewayLeft: () => undefined },
          tls: await open(serverFiles),
        },
        silent,
      ),
    );
    target = server.address;
  });

  afterEach(() => parts[Symbol.asyncDispose]());

  it("serves who shows a certificate of the authority, by address and by name", async () => {
    const tls = (await open(await issue("client"))).to("account");

    expect(await renewed(channelOf(tls))).to.equal("OK");
    expect(await renewed(channelOf(tls, target.replace("127.0.0.1", "localhost")))).to.equal("OK");
    expect(await renewed(channelOf(tls, `dns:///${target.replace("127.0.0.1", "localhost")}`))).to.equal("OK");
  });

  it("answers nobody without TLS", async () => {
    expect(await renewed(channelOf())).to.equal("SERVICE_UNREACHABLE");
    expect(await isServing(channelOf())).to.equal(false);
    expect(calls).to.deep.equal([]);
  });

  it("refuses who shows no certificate, one of another authority, or one that has expired, before a byte of HTTP/2", async () => {
    const stranger = await makeAuthority("stranger");
    const ours = { ca: authority.cert };

    const none = await shakeHands(target, ours);
    const foreign = await shakeHands(target, { ...ours, ...(await stranger.issue({ commonName: "foreign" })) });
    const expired = await shakeHands(target, { ...ours, ...(await authority.issue({ commonName: "expired", days: -1 })) });
    const good = await shakeHands(target, { ...ours, ...(await authority.issue({ commonName: "good" })) });

    expect([none, foreign, expired]).to.deep.equal(["refused", "refused", "refused"]);
    expect(good).to.equal("admitted");
  });

  it("speaks nothing older than TLS 1.2, and resumes no session", async () => {
    const settings = { ca: authority.cert, ...(await authority.issue({ commonName: "client" })) };

    const old = await shakeHands(target, { ...settings, maxVersion: "TLSv1.1", minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" });
    const resumed = await Promise.all(
      (["TLSv1.2", "TLSv1.3"] as const).map((version) => resumes(target, { ...settings, maxVersion: version })),
    );

    expect(old).to.equal("refused");
    expect(resumed).to.deep.equal([false, false]);
  });

  it("has a channel refuse a server of another authority, of another name, or that plays another role", async () => {
    const stranger = await makeAuthority("stranger");
    const tls = await open(await issue("client", { trusts: authority.cert + stranger.cert }));
    const [elsewhere, chat] = [
      await issue("elsewhere", { ips: ["127.0.0.9"], dns: ["elsewhere"] }),
      await issue("chat", { uris: [roleUri("chat")] }),
    ];
    const foreign = await issue("foreign", { trusts: authority.cert + stranger.cert }, stranger);

    const onlyOurs = await open(await issue("only-ours"));
    const outcomes = await Promise.all([
      seenBy(tls.to("account"), foreign),
      seenBy(onlyOurs.to("account"), foreign),
      seenBy(tls.to("account"), elsewhere),
      seenBy(tls.to("account"), chat),
      seenBy(tls.to("chat"), chat),
      seenBy(tls.to("account"), serverFiles),
    ]);

    expect(outcomes).to.deep.equal([true, false, false, false, true, true]);
  });

  it("has a channel to an address that a name was resolved to hold the server to that name, and not to the address", async () => {
    const tls = await open(await issue("client"));
    const named = await issue("chat.example", { ips: [], dns: ["chat.example"] });

    const outcomes = await Promise.all([
      seenBy(tls.to("account", "chat.example"), named),
      seenBy(tls.to("account", "chat.example."), named),
      seenBy(tls.to("account", "other.example"), named),
      seenBy(tls.to("account"), named),
      seenBy(tls.to("account", "chat.example"), serverFiles),
    ]);

    expect(outcomes).to.deep.equal([true, true, false, false, false]);
  });

  it("keeps a unary call to the role that its method names", async () => {
    const [gateway, chat, account] = [await channelAs("gateway"), await channelAs("chat"), await channelAs("account")];

    expect(await Promise.all([gateway, chat, account].map((from) => renewed(from)))).to.deep.equal([
      "OK",
      "PEER_NOT_ALLOWED",
      "PEER_NOT_ALLOWED",
    ]);
    expect(await Promise.all([gateway, chat, account].map(filtered))).to.deep.equal(["PEER_NOT_ALLOWED", "OK", "PEER_NOT_ALLOWED"]);
    expect(await Promise.all([gateway, chat, account].map(erased))).to.deep.equal(["PEER_NOT_ALLOWED", "PEER_NOT_ALLOWED", "OK"]);
  });

  it("lets a certificate of several roles play each, one of none all, and one of an unknown role none", async () => {
    const [both, none, unknown] = [await channelAs("gateway", "chat"), await channelAs(), await channelAs("auditor")];

    expect(await Promise.all([both, none, unknown].map((from) => renewed(from)))).to.deep.equal(["OK", "OK", "PEER_NOT_ALLOWED"]);
    expect(await Promise.all([both, none, unknown].map(filtered))).to.deep.equal(["OK", "OK", "PEER_NOT_ALLOWED"]);
    expect(await Promise.all([both, none, unknown].map(erased))).to.deep.equal(["PEER_NOT_ALLOWED", "OK", "PEER_NOT_ALLOWED"]);
  });

  it("believes no caller that another process than a gateway states", async () => {
    const [chat, gateway] = [await channelAs("chat"), await channelAs("gateway")];

    const stated = await Promise.all([chat, gateway].map((channel) => renewed(channel, { caller: CALLER, isOperator: true })));

    expect(stated).to.deep.equal(["PEER_NOT_ALLOWED", "OK"]);
    expect(calls.map(({ caller }) => caller)).to.deep.equal([CALLER]);
  });

  it("opens relay streams to gateways only, and holds the calls on them to the same role", async () => {
    const gateway = await openRelay(parts, target, await open(await issue("gateway", { uris: [roleUri("gateway")] })));
    const chat = await openRelay(parts, target, await open(await issue("chat", { uris: [roleUri("chat")] })));

    expect(chat).to.equal("PEER_NOT_ALLOWED");
    if (typeof gateway === "string") {
      throw new Error(gateway);
    }
    expect(await renewed(gateway)).to.equal("OK");
    expect(await filtered(gateway)).to.equal("PEER_NOT_ALLOWED");
  });

  it("answers health checks of every peer with a certificate", async () => {
    const channels = await Promise.all([channelAs("gateway"), channelAs("chat"), channelAs("account"), channelAs("auditor")]);

    expect(await Promise.all(channels.map(isServing))).to.deep.equal([true, true, true, true]);
  });

  it("takes new files while it runs, at both ends, and what stands goes on", async () => {
    const successor = await makeAuthority("successor");
    const clientFiles = await issue("client");
    const [client, latecomer] = [
      await open(clientFiles),
      await open(await issue("latecomer", { trusts: authority.cert + successor.cert })),
    ];
    const standing = channelOf(client.to("account"));
    await renewed(standing);

    await replace(serverFiles, await issue("new-server", {}, successor));
    await replace(clientFiles, await issue("new-client", {}, successor));

    // The server's new authority knows the latecomer's certificate no more; the client's new one is of it.
    await until(async () => (await renewedAnew(latecomer)) === "SERVICE_UNREACHABLE");
    await until(async () => (await renewedAnew(client)) === "OK");
    expect(await renewed(standing)).to.equal("OK");
  });

  it("goes on with the old files while the new ones do not belong together", async () => {
    const strangers = await issue("stranger", {}, await makeAuthority("stranger"));
    const lines: string[] = [];
    const logger = createLogger("test", "silent");
    logger.level = "info";
    logger.warn = (_: object, text?: string) => void lines.push(text ?? "");
    const tls = await InternalTls.open(serverFiles, logger, LOOK_MS);
    parts.defer(() => tls[Symbol.dispose]());

    await copyFile(strangers.keyFile, serverFiles.keyFile);
    await until(async () => lines.includes("internal certificate not replaced"));

    expect(await renewed(channelOf(tls.to("account")))).to.equal("OK");
    expect(await renewed(channelOf((await open(await issue("client"))).to("account")))).to.equal("OK");
  });

  it("refuses to start with files that do not belong together, names each, and quotes none", async () => {
    const { caFile, certFile } = serverFiles;
    const secret = join(directory, "secret");
    await writeFile(secret, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");

    const text = await Promise.all([
      refusal({ caFile, certFile, keyFile: secret }),
      refusal({ caFile: secret, certFile: join(directory, "nowhere"), keyFile: secret }),
      refusal({ caFile, certFile, keyFile: (await issue("other")).keyFile }),
      refusal({ caFile: (await issue("stranger", {}, await makeAuthority("stranger"))).caFile, certFile, keyFile: serverFiles.keyFile }),
      refusal(await issue("expired", { days: -1 })),
    ]);

    expect(text[0]).to.match(/INTERNAL_TLS_KEY_FILE: holds no readable PEM private key/);
    expect(text[1]).to.match(/INTERNAL_TLS_CERT_FILE: .*nowhere cannot be read \(ENOENT\)/);
    expect(text[2]).to.match(/INTERNAL_TLS_KEY_FILE: is not the key of the certificate/);
    expect(text[3]).to.match(/INTERNAL_TLS_CERT_FILE: is not of an authority in INTERNAL_TLS_CA_FILE/);
    expect(text[4]).to.match(/INTERNAL_TLS_CERT_FILE: is not valid at this time/);
    expect(text.join()).not.to.match(/c2VjcmV0|BEGIN/);
  });

  /** The outcome of a call on a connection of its own: channels of the same credentials would share one. */
  async function renewedAnew(tls: InternalTls): Promise<string> {
    using channel = new Channel(target, tls.to("account"));
    return await renewed(channel);
  }

  /** Whether a channel takes a server with some files for the one that it looks for. */
  async function seenBy(tls: ChannelTls, files: InternalTlsFiles): Promise<boolean> {
    const observer = { gatewayJoined: () => undefined, gatewayLeft: () => undefined };
    const server = parts.use(
      await startRpcServer({ listen: "127.0.0.1:0", implementations: [], observer, tls: await open(files) }, silent),
    );
    return isServing(channelOf(tls, server.address));
  }
});

type CallFrom = Parameters<typeof createClient>[1];

/** OK, or the reason of the refusal. */
async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "OK";
  } catch (error) {
    if (error instanceof SallyportError) {
      return error.reason;
    }
    throw error;
  }
}

function renewed(from: CallFrom, who: object = {}): Promise<string> {
  return outcomeOf(createClient(leaseService, from).renewLease({ incarnation: ID }, { deadline: soon(), ...who }));
}

function filtered(from: CallFrom): Promise<string> {
  return outcomeOf(createClient(directoryService, from).filterAccounts({ accountIds: [ID] }, { deadline: soon() }));
}

function erased(from: CallFrom): Promise<string> {
  return outcomeOf(createClient(erasureService, from).eraseAccount({ accountId: ID }, { deadline: soon() }));
}

async function isServing(channel: Channel): Promise<boolean> {
  return channel.isServing("", soon()).catch(() => false);
}

/** A relay stream that stands, or the reason why none does. */
function openRelay(parts: Disposables, target: string, tls: InternalTls): Promise<RelayClient | string> {
  return new Promise((resolve) => {
    const listener = {
      connected: () => resolve(relay),
      disconnected: () => undefined,
      unreachable: (error: SallyportError) => resolve(error.reason),
      pushed: () => undefined,
      revoked: () => undefined,
    };
    const relay = new RelayClient(target, ID, listener, { tls: tls.to("account") });
    parts.defer(() => relay[Symbol.dispose]());
  });
}

function handshake(target: string, options: ConnectionOptions): TLSSocket {
  const [host = "", port = ""] = target.split(":");
  return connect({ host, port: Number(port), ALPNProtocols: ["h2"], ...options });
}

/** Whether a server speaks HTTP/2 to who shakes hands so. A TLS 1.3 client learns only then that it was refused. */
async function shakeHands(target: string, options: ConnectionOptions): Promise<"admitted" | "refused"> {
  const socket = handshake(target, options);
  socket.on("error", () => undefined);
  // The server's first frame is its settings.
  const outcome = await Promise.race([
    once(socket, "data").then(() => "admitted" as const),
    once(socket, "close").then(() => "refused" as const),
  ]).catch(() => "refused" as const);
  socket.destroy();
  return outcome;
}

/** Whether a second connection resumes the session of a first one. */
async function resumes(target: string, options: ConnectionOptions): Promise<boolean> {
  const sessions: Buffer[] = [];
  const first = handshake(target, options).on("session", (session) => sessions.push(session));
  await once(first, "data");
  first.destroy();
  const session = sessions.at(-1) ?? first.getSession();
  const second = handshake(target, session === undefined ? options : { ...options, session });
  await once(second, "data");
  const isReused = second.isSessionReused();
  second.destroy();
  return isReused;
}

async function replace(old: InternalTlsFiles, fresh: InternalTlsFiles): Promise<void> {
  await copyFile(fresh.caFile, old.caFile);
  await copyFile(fresh.certFile, old.certFile);
  await copyFile(fresh.keyFile, old.keyFile);
}

async function refusal(files: InternalTlsFiles): Promise<string> {
  try {
    (await InternalTls.open(files, silent))[Symbol.dispose]();
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : "";
  }
}

/** Less than a test's own limit, so that one that waits in vain ends. */
const PATIENCE_MS = 15_000;

/** Waits, a look after another, for what makes no event. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    expect(Date.now(), "waited in vain").to.be.lessThan(giveUpAt);
    await new Promise((next) => setImmediate(next));
  }
}
