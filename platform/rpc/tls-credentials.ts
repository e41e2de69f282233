import { constants } from "node:crypto";
import { isIP, type Socket } from "node:net";
import {
  checkServerIdentity,
  connect,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
} from "node:tls";
import { CallCredentials, ChannelCredentials, experimental, ServerCredentials } from "@grpc/grpc-js";
import { type PeerRole, readPeer } from "./peer.ts";
import { splitCertificates, type TlsMaterial } from "./tls-material.ts";

/** A connection whose handshake takes longer is given up. */
const HANDSHAKE_MS = 10_000;

/** What servers listen with: every client must show a certificate of the authority. What is replaced counts from the next handshake on. */
export class MutualServerCredentials extends ServerCredentials {
  constructor(material: TlsMaterial) {
    super({ requestCert: true, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_MS }, contextOptions(material));
  }

  /** Shows another certificate and checks by other authorities from here on. */
  replace(material: TlsMaterial): void {
    this.updateSecureContextOptions(contextOptions(material));
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }
}

/**
 * What channels connect with: the server must show a certificate of the authority, for the name that it is called by, and for its role if the
 * certificate names any.
 */
export class MutualChannelCredentials extends ChannelCredentials {
  readonly #newest: () => SecureContext;
  readonly #role: PeerRole;
  readonly #name: string | undefined;

  /** `newest` is asked at each handshake. `name`: what servers are called, where their targets are addresses that it was resolved to. */
  constructor(newest: () => SecureContext, role: PeerRole, name?: string) {
    super();
    this.#newest = newest;
    this.#role = role;
    this.#name = name;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other === this;
  }

  override _createSecureConnector(
    target: experimental.GrpcUri,
    _options: object,
    callCredentials: CallCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    const host = this.#name ?? experimental.splitHostPort(target.path)?.host ?? target.path;
    return {
      connect: (socket) => shakeHands(socket, this.#newest(), host, this.#role),
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => undefined,
    };
  }
}

/** The context of a handshake. @throws Error of OpenSSL when it cannot use the material. */
export function createContext(material: TlsMaterial): SecureContext {
  return createSecureContext(contextOptions(material));
}

function contextOptions({ ca, cert, key }: TlsMaterial): SecureContextOptions {
  // A resumed session would not have its certificate checked again: no tickets.
  const chain = splitCertificates(cert).join("\n");
  return { ca: splitCertificates(ca), cert: chain, key, minVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET };
}

function shakeHands(socket: Socket, secureContext: SecureContext, host: string, role: PeerRole): Promise<experimental.SecureConnectResult> {
  return new Promise((resolve, reject) => {
    const secured = connect({
      socket,
      secureContext,
      host,
      // RFC 6066 section 3: no IP addresses in the server name.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ALPNProtocols: ["h2"],
      rejectUnauthorized: true,
      checkServerIdentity: (name, certificate) => checkServerIdentity(name, certificate) ?? checkRole(certificate, role),
    });
    const timer = setTimeout(() => secured.destroy(new Error("the TLS handshake took too long")), HANDSHAKE_MS).unref();
    const fail = (error?: Error): void => {
      clearTimeout(timer);
      reject(error ?? new Error("the connection was closed during the TLS handshake"));
    };
    const closed = (): void => fail();
    secured.once("error", fail);
    secured.once("close", closed);
    secured.once("secureConnect", () => {
      clearTimeout(timer);
      secured.off("error", fail);
      secured.off("close", closed);
      resolve({ socket: secured, secure: true });
    });
  });
}

function checkRole(certificate: PeerCertificate, role: PeerRole): Error | undefined {
  return readPeer(certificate).mayBe(role) ? undefined : new Error(`the server's certificate is of another role than ${role}`);
}
