import { createHash } from "node:crypto";
import type { Db } from "mongodb";
import { newUuid } from "../../../platform/ids.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { openDatabase } from "../../../platform/mongo.ts";
import { prepareDatabase } from "../../../platform/prepare-database.ts";
import { Custody, type CustodyParts } from "../../../services/chat/delivery/custody.ts";
import { HybridClock, orderAt } from "../../../services/chat/delivery/hybrid-clock.ts";
import type { ChatMessage } from "../../../services/chat/delivery/message.ts";
import { chatDatabase } from "../../../services/chat/store/database.ts";
import { Inbox } from "../../../services/chat/store/inbox.ts";
import type { InboxDocument, SendDocument } from "../../../services/chat/store/schema.ts";
import { type SendRecord, Sends } from "../../../services/chat/store/sends.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";
import { type Hook, interceptedDb } from "./intercepted-db.ts";

/** A copy of the chat service as far as the two collections go, whose operations can be held. */
export interface BenchCopy {
  readonly custody: Custody;
  readonly hooks: Map<string, Hook>;
  /** How far its clock is behind, in milliseconds. */
  lagMs: number;
}

const MINUTE_MS = 60_000;

/** A chat database of its own, copies on it, and what is planted in it. */
export class LedgerBench implements AsyncDisposable {
  readonly db: Db;
  readonly #parts: Disposables;

  private constructor(db: Db, parts: Disposables) {
    this.db = db;
    this.#parts = parts;
  }

  static async open(): Promise<LedgerBench> {
    const parts = new Disposables();
    const database = parts.use(openDatabase(freshDatabaseUri(), "chat"));
    parts.defer(() => database.db.dropDatabase());
    await prepareDatabase(database, chatDatabase, {
      databaseAwaited: () => undefined,
      indexesAwaited: () => undefined,
      databaseMigrated: () => undefined,
    });
    return new LedgerBench(database.db, parts);
  }

  /** A database that passes hooks. */
  intercepted(hooks: Map<string, Hook>): Db {
    return interceptedDb(this.db, hooks);
  }

  copy(): BenchCopy {
    const hooks = new Map<string, Hook>();
    const db = this.intercepted(hooks);
    const now = (): number => Date.now() - copy.lagMs;
    const parts = {
      ...{ sends: new Sends(db), inbox: new Inbox(db), now, hybridClock: new HybridClock(now) },
      ...{ erasures: { has: async () => false }, delivered: () => undefined },
      unreadable: { add: () => undefined, drop: () => undefined },
      sealer: {
        seal: (_: string, body: Buffer) => ({ scheme: "caesar", kid: "", body }),
        open: async (_: string, sealed: Sealed) => bytesOf(sealed),
      },
      receipts: { signAgain: async (message: object, receiptKid: string) => ({ ...message, receiptKid, receipt: "" }) },
      digester: {
        digest: (message: ChatMessage) => ({ digest: digestOf(message), digestKid: "d" }),
        matches: async (message: ChatMessage, digest: Buffer) => digest.equals(digestOf(message)),
      },
    };
    const copy: BenchCopy = { custody: new Custody(parts as unknown as CustodyParts), hooks, lagMs: 0 };
    return copy;
  }

  /** What the ledger says of a message. */
  async record(id: string): Promise<SendRecord | undefined> {
    return (await new Sends(this.db).findAll([id])).get(id);
  }

  claims(): Promise<SendDocument[]> {
    return this.db.collection<SendDocument>("sends").find().toArray();
  }

  bodies(): Promise<InboxDocument[]> {
    return this.db.collection<InboxDocument>("inbox").find().toArray();
  }

  /** Accepts messages minutes ago, by a copy whose clock was right then. */
  async accept(messages: readonly ChatMessage[], minutesAgo = 0): Promise<void> {
    const copy = this.copy();
    copy.lagMs = minutesAgo * MINUTE_MS;
    await Promise.all(messages.map((message) => copy.custody.store(message)));
  }

  async dropBody({ id }: ChatMessage): Promise<void> {
    await this.db.collection<InboxDocument>("inbox").deleteOne({ _id: id });
  }

  async dropClaim({ id }: ChatMessage): Promise<void> {
    await this.db.collection<SendDocument>("sends").deleteOne({ _id: id });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]();
  }
}

type Sealed = InboxDocument["sealed"];

/** A message that was offered minutes ago. */
export function messageOf(minutesAgo = 0, recipientId: string = newUuid()): ChatMessage {
  const ids = { id: newUuid(), recipientId, senderId: newUuid(), clientMessageId: newUuid() };
  return { ...ids, order: orderAt(Date.now() - minutesAgo * MINUTE_MS), body: Buffer.from(ids.id), receiptKid: "r", receipt: "" };
}

/** The same message as its sender offers it again. */
export function again(message: ChatMessage): ChatMessage {
  return { ...message, order: orderAt(Date.now()) };
}

/** What a recipient is brought who reads the whole inbox. */
export async function readInbox({ custody }: BenchCopy, { recipientId }: ChatMessage): Promise<readonly string[]> {
  const { messages } = await custody.read(recipientId, { exclude: [], maxMessages: 256, maxBytes: 1_000_000 });
  return messages.map(({ id }) => id);
}

function digestOf({ body, recipientId }: ChatMessage): Buffer {
  return createHash("sha256").update(body).update(recipientId).digest();
}

function bytesOf(sealed: Sealed): Buffer {
  return (sealed as unknown as { body: Buffer }).body;
}
