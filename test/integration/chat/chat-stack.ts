import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, MongoClient } from "mongodb";
import { pino } from "pino";
import { newUuid } from "../../../platform/ids.ts";
import { initKeys } from "../../../platform/keys/rotation.ts";
import { Disposables, type Running } from "../../../platform/lifecycle.ts";
import { implement } from "../../../platform/rpc/call.ts";
import { Channel } from "../../../platform/rpc/channel.ts";
import { startRpcServer } from "../../../platform/rpc/server.ts";
import { directoryService } from "../../../proto/gen/policy/services.ts";
import { type ChatConfig, chatConfig } from "../../../services/chat/config.ts";
import { type ChatOverrides, startChat } from "../../../services/chat/server.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";
import { FakeGateway } from "./fake-gateway.ts";

const SILENT = pino({ level: process.env["TEST_LOG"] ?? "silent" });

/** What a stack is started with. */
export interface StackOptions extends ChatOverrides {
  readonly lingerMs?: number;
  readonly atRest?: ChatConfig["atRest"];
  /** The way that the service takes to its database. */
  readonly database?: (uri: string) => Promise<string>;
}

/** A chat service on a database of its own, an account directory that knows who was invited, and gateways. */
export class ChatStack implements AsyncDisposable {
  readonly config: ChatConfig;
  readonly #known: Set<string>;
  readonly #gate: Gate;
  readonly #parts: Disposables;
  readonly #mongo: MongoClient;
  readonly #options: StackOptions;
  #chat: Running | undefined;

  private constructor(config: ChatConfig, known: Set<string>, gate: Gate, parts: Disposables, mongo: MongoClient, options: StackOptions) {
    this.config = config;
    this.#known = known;
    this.#gate = gate;
    this.#parts = parts;
    this.#mongo = mongo;
    this.#options = options;
  }

  static async start(options: StackOptions = {}): Promise<ChatStack> {
    const parts = new Disposables();
    const folder = await mkdtemp(join(tmpdir(), "sallyport-chat-"));
    parts.defer(() => rm(folder, { recursive: true, force: true }));
    await initKeys(join(folder, "keys"));

    const known = new Set<string>();
    const accounts = `unix:${join(folder, "account.sock")}`;
    const gate: Gate = { opened: Promise.resolve(), asked: () => undefined };
    parts.use(await startDirectory(accounts, known, gate));

    const uri = freshDatabaseUri();
    const mongo = await MongoClient.connect(uri);
    parts.defer(async () => {
      await mongo.db(databaseOf(uri)).dropDatabase();
      await mongo.close();
    });
    const config = chatConfig({
      CHAT_LISTEN: `unix:${join(folder, "chat.sock")}`,
      ACCOUNT_TARGETS: accounts,
      MONGODB_URI: (await options.database?.(uri)) ?? uri,
      SALLYPORT_DATA_DIR: folder,
      CHAT_LINGER_MS: String(options.lingerMs ?? 150),
      CHAT_AT_REST: options.atRest ?? "caesar",
    });
    const stack = new ChatStack(config, known, gate, parts, mongo, options);
    await stack.startService();
    return stack;
  }

  /** A new account that the directory knows. */
  invite(): string {
    const id = newUuid();
    this.#known.add(id);
    return id;
  }

  /** The directory knows the account no longer. */
  expel(accountId: string): void {
    this.#known.delete(accountId);
  }

  /** From here on the directory answers only when it is released. `asked`: it has judged, for the first time. */
  holdDirectory(): { readonly asked: Promise<void>; readonly release: () => void } {
    let release = (): void => undefined;
    this.#gate.opened = new Promise((resolve) => {
      release = resolve;
    });
    const asked = new Promise<void>((resolve) => {
      this.#gate.asked = resolve;
    });
    return { asked, release };
  }

  /** The account service's way to the chat service. */
  channel(target: string = this.config.listen): Channel {
    const channel = new Channel(target);
    this.#parts.defer(() => channel[Symbol.dispose]());
    return channel;
  }

  /** A gateway whose relay stream stands; with the incarnation of another one it is that one's stream to another copy. */
  async gateway(target: string = this.config.listen, incarnation: string = newUuid()): Promise<FakeGateway> {
    const gateway = new FakeGateway(target, incarnation);
    this.#parts.defer(() => gateway[Symbol.dispose]());
    await gateway.connected();
    return gateway;
  }

  async startService(overrides: ChatOverrides = {}, changes: Partial<ChatConfig> = {}): Promise<void> {
    this.#chat = await startChat({ ...this.config, ...changes }, SILENT, { ...this.#options, ...overrides });
  }

  /** A second chat process on the same database. */
  anotherCopy(): Promise<Running> {
    return startChat({ ...this.config, listen: `${this.config.listen}.2` }, SILENT, this.#options);
  }

  async stopService(): Promise<void> {
    await this.#chat?.[Symbol.asyncDispose]();
    this.#chat = undefined;
  }

  /** All documents of a collection, as they are stored. */
  documents(collection: string): Promise<Document[]> {
    return this.collection(collection).find().toArray();
  }

  collection(name: string): ReturnType<ReturnType<MongoClient["db"]>["collection"]> {
    return this.#mongo.db(databaseOf(this.config.mongodbUri)).collection(name);
  }

  /** Runs a command on the service's database. */
  command(command: Document): Promise<Document> {
    return this.#mongo.db(databaseOf(this.config.mongodbUri)).command(command);
  }

  /** Every document of every collection. */
  async everything(): Promise<Document[]> {
    const collections = await this.#mongo.db(databaseOf(this.config.mongodbUri)).collections();
    return (await Promise.all(collections.map((collection) => collection.find().toArray()))).flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopService();
    await this.#parts[Symbol.asyncDispose]();
  }
}

interface Gate {
  opened: Promise<void>;
  asked: () => void;
}

function startDirectory(listen: string, known: ReadonlySet<string>, gate: Gate): Promise<AsyncDisposable> {
  const implementations = implement(directoryService, {
    filterAccounts: async ({ accountIds }) => {
      const found = accountIds.filter((id) => known.has(id));
      gate.asked();
      await gate.opened;
      return { accountIds: found };
    },
  });
  const observer = { gatewayJoined: () => undefined, gatewayLeft: () => undefined };
  return startRpcServer({ listen, implementations, observer }, SILENT);
}

function databaseOf(uri: string): string {
  return `${/\/([^/?]+)(\?|$)/.exec(uri.replace("mongodb://", ""))?.[1]}_chat`;
}
