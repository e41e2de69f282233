import { acceptedAtOf } from "../../services/chat/delivery/hybrid-clock.ts";
import type { ChatMessage } from "../../services/chat/delivery/message.ts";
import type { SendRow } from "./database.ts";
import type { Process, Task } from "./timeline.ts";
import type { World } from "./world.ts";

/** The verbs of services/chat/store/{sends,inbox}.ts, for one process; one operation each, but where the real ones take two. */
export class MessageStore {
  readonly #world: World;
  readonly #owner: Process;

  constructor(world: World, owner: Process) {
    this.#world = world;
    this.#owner = owner;
  }

  find(id: string): Task<SendRow | undefined> {
    const { sends } = this.#world.database;
    return this.#ask(() => copyOf(sends.get(id)));
  }

  *claim(message: ChatMessage, state: SendRow["state"]): Task<SendRow | undefined> {
    const isNew = yield* this.#ask(() => this.#insert(message, state));
    return isNew ? undefined : yield* this.find(message.id);
  }

  /** Answers which were ended by this. */
  deliver(ids: readonly string[]): Task<readonly string[]> {
    return this.#ask(() => {
      const { sends } = this.#world.database;
      const ended = ids.filter((id) => sends.get(id)?.state === "pending");
      for (const id of ended) {
        (sends.get(id) as SendRow).state = "delivered";
        this.#world.letterWatch.ended(id);
      }
      return this.#world.flaw === "counts-repeated-acks" ? ids : ended;
    });
  }

  findAll(ids: readonly string[]): Task<ReadonlyMap<string, SendRow>> {
    const { sends } = this.#world.database;
    return this.#ask(
      () =>
        new Map(
          ids.flatMap((id) => {
            const row = sends.get(id);
            return row === undefined ? [] : [[id, { ...row }] as const];
          }),
        ),
    );
  }

  /** Whether a claim still waits, said by a write. */
  confirm({ id, acceptedAt }: SendRow): Task<boolean> {
    const { sends } = this.#world.database;
    return this.#ask(() => sends.get(id)?.state === "pending" && sends.get(id)?.acceptedAt === acceptedAt);
  }

  /** Answers whether the body of this claim is there; that of an earlier one gives way. */
  addBody(message: ChatMessage): Task<boolean> {
    const { inbox } = this.#world.database;
    return this.#ask(() => {
      const known = inbox.get(message.id);
      const [there, here] = [acceptedAtOf(known?.order ?? 0), acceptedAtOf(message.order)];
      if (known === undefined || there < here) {
        inbox.set(message.id, message);
      }
      return there <= here;
    });
  }

  hasBody({ id }: ChatMessage, acceptedAt: number): Task<boolean> {
    return this.#ask(() => acceptedAtOf(this.#world.database.inbox.get(id)?.order ?? 0) === acceptedAt);
  }

  *removeBodies(recipientId: string, ids: readonly string[]): Task<void> {
    const { inbox } = this.#world.database;
    if (ids.length > 0) {
      yield* this.#ask(() => {
        for (const id of ids) {
          if (inbox.get(id)?.recipientId === recipientId) {
            inbox.delete(id);
            this.#world.letterWatch.requireKept(id);
          }
        }
      });
    }
  }

  /** Those of the messages that wait in the inbox. */
  findHeadings(recipientId: string, ids: readonly string[]): Task<readonly ChatMessage[]> {
    const { inbox } = this.#world.database;
    return this.#ask(() => ids.flatMap((id) => (inbox.get(id)?.recipientId === recipientId ? [inbox.get(id) as ChatMessage] : [])));
  }

  findKeys(recipientIds: readonly string[]): Task<readonly ChatMessage[]> {
    return this.#ask(() => this.#waiting((recipientId) => recipientIds.includes(recipientId)));
  }

  countWaiting(recipientId: string): Task<number> {
    return this.#ask(() => this.#waiting((one) => one === recipientId).length);
  }

  hasAny(recipientId: string): Task<boolean> {
    return this.#ask(() => this.#waiting((one) => one === recipientId).length > 0);
  }

  readOldest(
    recipientId: string,
    exclude: readonly string[],
    bounds: { readonly maxMessages: number; readonly maxBytes: number },
    after = 0,
  ): Task<{ readonly documents: readonly ChatMessage[]; readonly exhausted: boolean }> {
    return this.#ask(() => {
      const waiting = this.#waiting((one) => one === recipientId)
        .filter(({ id, order }) => order > after && !exclude.includes(id))
        .sort((a, b) => a.order - b.order);
      const documents: ChatMessage[] = [];
      let bytes = 0;
      for (const document of waiting) {
        bytes += document.body.length;
        if (documents.length === Math.min(bounds.maxMessages, PAGE) || (documents.length > 0 && bytes > bounds.maxBytes)) {
          return { documents, exhausted: false };
        }
        documents.push(document);
      }
      return { documents, exhausted: true };
    });
  }

  #ask<T>(effect: () => T): Task<T> {
    return this.#world.database.ask(this.#owner, effect);
  }

  #insert({ id, order, recipientId, body }: ChatMessage, state: SendRow["state"]): boolean {
    const { database, letterWatch } = this.#world;
    if (database.sends.has(id)) {
      return false;
    }
    database.sends.set(id, { id, state, acceptedAt: acceptedAtOf(order), recipientId, body });
    if (state === "delivered") {
      letterWatch.ended(id);
    }
    return true;
  }

  #waiting(isMeant: (recipientId: string) => boolean): ChatMessage[] {
    return [...this.#world.database.inbox.values()].filter(({ recipientId }) => isMeant(recipientId));
  }
}

/** A small page, so that inboxes take several. */
const PAGE = 3;

function copyOf(row: SendRow | undefined): SendRow | undefined {
  return row && { ...row };
}
