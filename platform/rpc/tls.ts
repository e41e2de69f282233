import type { SecureContext } from "node:tls";
import type { ChannelCredentials, ServerCredentials } from "@grpc/grpc-js";
import { ConfigError } from "../env.ts";
import type { InternalTlsFiles } from "../internal-tls.ts";
import type { Disposables } from "../lifecycle.ts";
import type { Logger } from "../logger.ts";
import type { PeerRole } from "./peer.ts";
import { createContext, MutualChannelCredentials, MutualServerCredentials } from "./tls-credentials.ts";
import { checkMaterial, readMaterial, type TlsMaterial } from "./tls-material.ts";

/** What a channel over TCP connects with. */
export interface ChannelTls {
  readonly channelCredentials: ChannelCredentials;
}

/** How often the files are looked at: a new certificate is in use so much later. */
const LOOK_MS = 2_000;

/**
 * Mutual TLS of one process: what its server and its channels prove themselves with. Files that change are read anew, and count from the next
 * handshake on; connections that stand go on.
 */
export class InternalTls implements Disposable {
  readonly #server: MutualServerCredentials;
  readonly #files: InternalTlsFiles;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  #context: SecureContext;
  #material: TlsMaterial;
  #lastProblem = "";
  #isLooking = false;

  /** @throws ConfigError naming the variables whose files are unreadable or do not belong together. */
  static async open(files: InternalTlsFiles, logger: Logger, lookMs: number = LOOK_MS): Promise<InternalTls> {
    return new InternalTls(files, await readMaterial(files), logger, lookMs);
  }

  private constructor(files: InternalTlsFiles, material: TlsMaterial, logger: Logger, lookMs: number) {
    const { context, validTo } = prepare(material);
    this.#files = files;
    this.#logger = logger;
    this.#material = material;
    this.#context = context;
    this.#server = new MutualServerCredentials(material);
    this.#timer = setInterval(() => void this.#look(), lookMs).unref();
    logger.info({ validTo }, "internal certificate read");
  }

  /** What a server over TCP listens with. */
  get serverCredentials(): ServerCredentials {
    return this.#server;
  }

  /**
   * For channels to servers of one role: a certificate that names other roles only is refused. `name` is the one that its certificate has to be
   * for, by default the host of the channel's target.
   */
  to(role: PeerRole, name?: string): ChannelTls {
    return { channelCredentials: new MutualChannelCredentials(() => this.#context, role, name) };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /** Files that are unreadable or do not belong together, as in the middle of being replaced, change nothing. */
  async #look(): Promise<void> {
    if (this.#isLooking) {
      return;
    }
    this.#isLooking = true;
    try {
      const material = await readMaterial(this.#files);
      if (!isSame(material, this.#material)) {
        const { context, validTo } = prepare(material);
        this.#material = material;
        this.#context = context;
        this.#server.replace(material);
        this.#logger.info({ validTo }, "internal certificate replaced");
      }
      this.#lastProblem = "";
    } catch (error) {
      const problem = error instanceof ConfigError ? error.message : "unknown";
      if (problem !== this.#lastProblem) {
        this.#logger.warn({ err: error }, "internal certificate not replaced");
      }
      this.#lastProblem = problem;
    } finally {
      this.#isLooking = false;
    }
  }
}

/** Mutual TLS for the parts of a process that owns it; undefined: it is not configured. @throws ConfigError as `InternalTls.open`. */
export async function openInternalTls(
  files: InternalTlsFiles | undefined,
  logger: Logger,
  owner: Disposables,
): Promise<InternalTls | undefined> {
  if (files === undefined) {
    return undefined;
  }
  const tls = await InternalTls.open(files, logger);
  owner.defer(() => tls[Symbol.dispose]());
  return tls;
}

/** Checks the files of mutual TLS as a process would that starts with them. @throws ConfigError as `InternalTls.open`. */
export async function checkInternalTls(files: InternalTlsFiles): Promise<void> {
  prepare(await readMaterial(files));
}

function prepare(material: TlsMaterial): { context: SecureContext; validTo: Date } {
  const validTo = checkMaterial(material, Date.now());
  try {
    return { context: createContext(material), validTo };
  } catch (error) {
    // Such as a key that is too short for this OpenSSL's security level.
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new ConfigError([`INTERNAL_TLS_CERT_FILE: cannot be used (${code})`]);
  }
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  return one.ca === other.ca && one.cert === other.cert && one.key === other.key;
}
