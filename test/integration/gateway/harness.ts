import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { gatewayConfig } from "../../../gateway/config.ts";
import { type GatewayOverrides, type RunningGateway, startGateway } from "../../../gateway/server.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import type { Logger } from "../../../platform/logger.ts";
import { ClientFrame, type Reply, ServerFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";
import { type Fake, GOOD_TOKEN, type Overrides, quiet, startFakeAccount, startFakeChat } from "./fake-services.ts";

/** A gateway with fake services behind it. */
export interface Stack extends AsyncDisposable {
  readonly gateway: RunningGateway;
  readonly account: Fake;
  readonly chat: Fake;
  readonly operatorToken: string;
}

/** What else a stack is made of. */
export interface Parts {
  /** Chat copies besides the stack's own; whoever started them disposes of them. */
  readonly moreChats?: readonly Fake[];
  readonly logger?: Logger;
}

/** Starts a gateway without rate limits before two fake services; resolves once it is ready. */
export async function startStack(
  overrides: Overrides = {},
  env: Record<string, string> = {},
  seams: GatewayOverrides = {},
  { moreChats = [], logger = quiet }: Parts = {},
): Promise<Stack> {
  const disposables = new Disposables();
  const dataDirectory = await mkdtemp(join(tmpdir(), "sallyport-gateway-"));
  disposables.defer(() => rm(dataDirectory, { recursive: true, force: true }));
  const account = disposables.use(await startFakeAccount(overrides));
  const chat = disposables.use(await startFakeChat(overrides));
  const config = gatewayConfig({
    GATEWAY_PORT: "0",
    GATEWAY_ADMIN_PORT: "0",
    GATEWAY_DRAIN_MS: "0",
    SALLYPORT_DATA_DIR: dataDirectory,
    SALLYPORT_LIMITS: "off",
    ACCOUNT_TARGETS: account.address,
    CHAT_TARGETS: [chat, ...moreChats].map(({ address }) => address).join(","),
    ...env,
  });
  const joined = Promise.all([account, chat, ...moreChats].map(({ asked }) => once(asked, "renewLease")));
  const gateway = disposables.use(await startGateway(config, logger, seams));
  await joined;
  const operatorToken = await readFile(config.operatorToken.file, "utf8");
  return { gateway, account, chat, operatorToken, [Symbol.asyncDispose]: () => disposables[Symbol.asyncDispose]() };
}

/** A frame that came from the gateway. */
export type Incoming = { readonly text: string } | { readonly bytes: Buffer };

/** A WebSocket client that keeps what it receives. */
export class TestSocket implements Disposable {
  readonly ws: WebSocket;
  readonly closed: Promise<number>;
  readonly #incoming: Incoming[] = [];
  #wake: (() => void) | undefined;
  #closeCode: number | undefined;

  constructor(address: string, path = "/connect/chat", options: ConstructorParameters<typeof WebSocket>[2] = {}) {
    this.ws = new WebSocket(`${address.replace("http", "ws")}${path}`, options);
    this.ws.on("message", (data: Buffer, isBinary: boolean) => {
      this.#incoming.push(isBinary ? { bytes: data } : { text: data.toString() });
      this.#wake?.();
    });
    this.ws.on("error", () => undefined);
    this.closed = new Promise((resolve) => {
      this.ws.on("close", (code: number) => {
        this.#closeCode = code;
        this.#wake?.();
        resolve(code);
      });
    });
  }

  async opened(): Promise<this> {
    if (this.ws.readyState !== WebSocket.OPEN) {
      await once(this.ws, "open");
    }
    return this;
  }

  /** The next frame; rejects when the socket closes instead. */
  async next(): Promise<Incoming> {
    for (;;) {
      const incoming = this.#incoming.shift();
      if (incoming !== undefined) {
        return incoming;
      }
      if (this.#closeCode !== undefined) {
        throw new Error(`closed with ${this.#closeCode}`);
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async nextBytes(): Promise<Buffer> {
    const incoming = await this.next();
    if (!("bytes" in incoming)) {
      throw new Error(`expected a binary frame, not ${incoming.text.slice(0, 100)}`);
    }
    return incoming.bytes;
  }

  async nextEvent(): Promise<Record<string, Record<string, unknown>>> {
    const incoming = await this.next();
    if (!("text" in incoming)) {
      throw new Error("expected a text frame");
    }
    return JSON.parse(incoming.text) as Record<string, Record<string, unknown>>;
  }

  async nextReply(): Promise<Reply> {
    const { kind } = ServerFrame.decode(await this.nextBytes());
    if (kind?.$case !== "reply") {
      throw new Error("expected a reply");
    }
    return kind.value;
  }

  /** Exchanges one good token for each service of the path. */
  async exchange(services = 1): Promise<this> {
    await this.opened();
    for (let service = 0; service < services; service += 1) {
      this.ws.send(GOOD_TOKEN);
      await this.nextBytes();
      await this.nextBytes();
    }
    return this;
  }

  send(kind: ClientFrame["kind"]): void {
    this.ws.send(ClientFrame.encode({ kind }).finish());
  }

  call(id: number, method: string, request: Uint8Array = new Uint8Array(0), timeoutMs = 0): void {
    this.send({ $case: "call", value: { id, method, request: Buffer.from(request), timeoutMs } });
  }

  [Symbol.dispose](): void {
    this.ws.terminate();
  }
}
