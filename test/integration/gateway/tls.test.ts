import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { gatewayConfig } from "../../../gateway/config.ts";
import { startGateway } from "../../../gateway/server.ts";
import { ConfigError } from "../../../platform/env.ts";
import type { Logger } from "../../../platform/logger.ts";
import { CertificateFiles } from "../../support/certificate-files.ts";
import { quiet } from "./fake-services.ts";
import { type Stack, startStack, TestSocket } from "./harness.ts";
import { connectRaw, exchangeRaw } from "./raw-http.ts";

const LIST = "/sallyport.chat.v1.ChatService/ListBlockedAccounts";
const WATCHFUL = { certificateEveryMs: 5 };

/** What a gateway that cannot start says. */
async function failureOf(files: CertificateFiles, env: Record<string, string>): Promise<unknown> {
  const config = gatewayConfig({ GATEWAY_PORT: "0", GATEWAY_ADMIN_PORT: "0", SALLYPORT_DATA_DIR: files.directory, ...env });
  return startGateway(config, quiet).catch((reason: unknown) => reason);
}

async function start(files: CertificateFiles, env: Record<string, string> = {}, logger?: Logger): Promise<Stack> {
  return startStack({}, { ...files.env, ...env }, WATCHFUL, logger === undefined ? {} : { logger });
}

/** A TLS connection to the gateway, once its handshake is over. */
async function handshake({ gateway }: Stack, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(gateway.address).port), ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** The serial number of the certificate that a new connection meets. A connection that a reload resets is made again. */
async function servedSerial(stack: Stack, options: ConnectionOptions): Promise<string> {
  for (;;) {
    const socket = await handshake(stack, options).catch((error: NodeJS.ErrnoException) => {
      expect(error.code).to.equal("ECONNRESET");
    });
    if (socket !== undefined) {
      const { serialNumber } = socket.getPeerCertificate();
      socket.destroy();
      return serialNumber;
    }
  }
}

async function serves(stack: Stack, cert: string, options: ConnectionOptions): Promise<void> {
  const { serialNumber } = new X509Certificate(cert);
  while ((await servedSerial(stack, options)) !== serialNumber) {
    // The gateway has not looked yet.
  }
}

/** A logger that keeps what goes wrong, and tells of it. */
function listeningLogger(): { logger: Logger; complaints: string[]; complained: Promise<void> } {
  const complaints: string[] = [];
  let tell: () => void = () => undefined;
  const complained = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const nothing = (): void => undefined;
  const error = ({ problems }: { problems: readonly string[] }): void => {
    complaints.push(problems.join());
    tell();
  };
  return { logger: { debug: nothing, info: nothing, warn: nothing, error } as unknown as Logger, complaints, complained };
}

describe("TLS on the public port", () => {
  it("serves exchanges and calls, at an https address", async () => {
    await using files = await CertificateFiles.create();
    await using stack = await start(files);
    using socket = await new TestSocket(stack.gateway.address, "/connect/chat", { ca: files.authority.cert }).exchange();

    socket.call(1, LIST);
    const reply = await socket.nextReply();

    expect(stack.gateway.address).to.match(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(reply.code).to.equal(0);
  });

  for (const [title, options] of [
    ["TLS 1.1", { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }],
    ["a cipher without forward secrecy", { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256:AES256-SHA" }],
    ["a cipher without authenticated encryption", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA" }],
  ] as const) {
    it(`refuses ${title}`, async () => {
      await using files = await CertificateFiles.create();
      await using stack = await start(files);

      const error: unknown = await handshake(stack, { ca: files.authority.cert, ...options }).catch((reason: unknown) => reason);

      expect(error).to.be.an("error").with.property("code").that.matches(/ALERT/);
    });
  }

  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`speaks ${version}`, async () => {
      await using files = await CertificateFiles.create();
      await using stack = await start(files);

      const socket = await handshake(stack, { ca: files.authority.cert, minVersion: version, maxVersion: version });

      expect(socket.getProtocol()).to.equal(version);
      socket.destroy();
    });
  }

  it("answers nothing to a client that speaks without TLS", async () => {
    await using files = await CertificateFiles.create();
    await using stack = await start(files);

    const received = await exchangeRaw(await connectRaw(stack.gateway.address), "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

    expect(received).to.not.contain("HTTP");
  });

  it("tells browsers to come back with TLS only", async () => {
    await using files = await CertificateFiles.create();
    await using stack = await start(files);
    const socket = await handshake(stack, { ca: files.authority.cert });

    const answer = await exchangeRaw(socket, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n");

    expect(answer).to.match(/strict-transport-security: max-age=31536000\r\n/);
  });
});

describe("the certificate of the public port", () => {
  for (const [title, change] of [
    ["renamed files", (files, issued) => files.replace(issued)],
    ["a link that points elsewhere", (files, issued) => files.swapLink(issued)],
  ] as readonly [string, (files: CertificateFiles, issued: Awaited<ReturnType<CertificateFiles["issue"]>>) => Promise<void>][]) {
    it(`is taken from ${title} while the gateway runs, with and without a server name, and open sockets stay`, async () => {
      await using files = await CertificateFiles.create();
      await using stack = await start(files);
      const ca = files.authority.cert;
      using socket = await new TestSocket(stack.gateway.address, "/connect/chat", { ca }).exchange();

      for (let round = 1; round <= 3; round += 1) {
        const issued = await files.issue();
        await change(files, issued);
        await serves(stack, issued.cert, { ca });
        await serves(stack, issued.cert, { ca, servername: "localhost" });
      }
      socket.call(1, LIST);
      const reply = await socket.nextReply();

      expect(reply.code).to.equal(0);
    });
  }

  it("still serves sockets and calls after it has changed, and a stopping gateway drains both generations", async () => {
    await using files = await CertificateFiles.create();
    await using stack = await start(files);
    const ca = files.authority.cert;
    using before = await new TestSocket(stack.gateway.address, "/connect/chat", { ca }).exchange();
    const issued = await files.issue();
    await files.replace(issued);
    await serves(stack, issued.cert, { ca });
    using after = await new TestSocket(stack.gateway.address, "/connect/chat", { ca }).exchange();

    after.call(1, LIST);
    const reply = await after.nextReply();
    await stack.gateway[Symbol.asyncDispose]();

    expect(reply.code).to.equal(0);
    expect(await Promise.all([before.closed, after.closed])).to.deep.equal([4001, 4001]);
  });

  it("is kept when what replaces it cannot be used, which is said once, and the next good one is taken", async () => {
    await using files = await CertificateFiles.create();
    const { logger, complaints, complained } = listeningLogger();
    await using stack = await start(files, {}, logger);
    const ca = files.authority.cert;
    const first = await servedSerial(stack, { ca });

    const [one, other, good] = await Promise.all([files.issue(), files.issue(), files.issue()]);
    await files.replace({ cert: one.cert, key: other.key });
    await complained;
    const kept = await servedSerial(stack, { ca });
    await files.replace(good);
    await serves(stack, good.cert, { ca });

    expect(kept).to.equal(first);
    expect(complaints).to.deep.equal(["GATEWAY_TLS_KEY_FILE: is not the key of the certificate in GATEWAY_TLS_CERT_FILE"]);
  });

  it("is kept when what replaces it has expired", async () => {
    await using files = await CertificateFiles.create();
    const { logger, complaints, complained } = listeningLogger();
    await using stack = await start(files, {}, logger);
    const ca = files.authority.cert;
    const first = await servedSerial(stack, { ca });

    await files.replace(await files.issue(-1));
    await complained;

    expect(await servedSerial(stack, { ca })).to.equal(first);
    expect(complaints).to.deep.equal(["GATEWAY_TLS_CERT_FILE: holds a certificate that has expired"]);
  });

  for (const [title, env, problem] of [
    ["is not there", { GATEWAY_TLS_CERT_FILE: "/nowhere/cert.pem" }, /^GATEWAY_TLS_CERT_FILE: cannot read \/nowhere\/cert.pem \(ENOENT\)$/],
    [
      "has a key that is not there",
      { GATEWAY_TLS_KEY_FILE: "/nowhere/key.pem" },
      /^GATEWAY_TLS_KEY_FILE: cannot read \/nowhere\/key.pem \(ENOENT\)$/,
    ],
    ["is none", { GATEWAY_TLS_CERT_FILE: import.meta.filename }, /^GATEWAY_TLS_CERT_FILE: holds no certificate in PEM$/],
    ["has a key that is none", { GATEWAY_TLS_KEY_FILE: import.meta.filename }, /^GATEWAY_TLS_KEY_FILE: holds no private key in PEM/],
  ] as const) {
    it(`stops the start when it ${title}`, async () => {
      await using files = await CertificateFiles.create();

      const error: unknown = await failureOf(files, { ...files.env, ...env });

      expect(error).to.be.instanceOf(ConfigError);
      expect((error as ConfigError).problems).to.have.length(1);
      expect((error as ConfigError).problems[0]).to.match(problem);
    });
  }

  it("stops the start when it does not belong to the key", async () => {
    await using files = await CertificateFiles.create();
    const [{ cert }, { key }] = await Promise.all([files.issue(), files.issue()]);
    await files.replace({ cert, key });

    const error: unknown = await failureOf(files, files.env);

    expect(error).to.be.an("error").with.property("message").that.contains("is not the key of the certificate");
  });
});

describe("a port with TLS", () => {
  it("is never shared by two gateways, before and after its certificate changed", async () => {
    await using files = await CertificateFiles.create();
    await using stack = await start(files);
    const GATEWAY_PORT = new URL(stack.gateway.address).port;
    const intrude = (env: Record<string, string>): Promise<unknown> => failureOf(files, { ...env, GATEWAY_PORT });

    const first = [await intrude(files.env), await intrude({})];
    const issued = await files.issue();
    await files.replace(issued);
    await serves(stack, issued.cert, { ca: files.authority.cert });
    const second = [await intrude(files.env), await intrude({})];

    for (const error of [...first, ...second]) {
      expect(error).to.be.an("error").with.property("message", `GATEWAY_PORT: cannot listen on 127.0.0.1:${GATEWAY_PORT}`);
    }
  });
});
