import { isTaken } from "../../services/chat/delivery/inbox-state.ts";
import type { Accepted, ChatMessage } from "../../services/chat/delivery/message.ts";
import type { ActorModel } from "./actor-model.ts";
import type { ChatCopy } from "./chat-copy.ts";
import type { SendRow } from "./database.ts";
import { ID_REUSED, INBOX_FULL, NO_RECIPIENT, TOO_LATE } from "./failures.ts";
import type { Letter } from "./frames.ts";
import { Future } from "./future.ts";
import type { Call } from "./relay.ts";
import type { Task } from "./timeline.ts";

/** What passes for fresh knowledge of how much waits in an inbox. */
const FRESH_MS = 5_000;

interface Sent {
  readonly message: ChatMessage;
  readonly accepted: Accepted;
}

/** As services/chat/delivery/{sending,rooms}.ts: accepts messages, each once. */
export class SendingModel {
  readonly #chat: ChatCopy;
  readonly #accepting = new Map<string, Future<Sent>>();
  readonly #rooms = new Map<string, { readonly messages: number; readonly at: number }>();

  constructor(chat: ChatCopy) {
    this.#chat = chat;
  }

  *send(call: Call, letter: Letter): Task<Accepted> {
    const { id } = letter;
    for (let first = this.#accepting.get(id); first !== undefined; first = this.#accepting.get(id)) {
      let sent: Sent | undefined;
      try {
        sent = yield* first.wait();
      } catch {
        // Its own caller is told.
      }
      if (sent !== undefined) {
        requireSame(sent.message, letter);
        return sent.accepted;
      }
    }
    const accepting = this.#start(this.#accept(call, letter));
    this.#accepting.set(id, accepting);
    try {
      return (yield* accepting.wait()).accepted;
    } finally {
      this.#accepting.delete(id);
    }
  }

  *#accept({ accountId: senderId, deadline }: Call, letter: Letter): Task<Sent> {
    const chat = this.#chat;
    const { timeline, flaw } = chat.world;
    const { id, recipientId } = letter;
    const message: ChatMessage = { ...letter, senderId, clientMessageId: id, order: chat.hybridClock.next(), receiptKid: "k", receipt: "" };
    const actor = chat.of(recipientId);
    const turn = actor.sends.enter();
    let socket = actor.state.current?.epoch;
    const earlier = this.#start(chat.store.find(id));
    const reachable = this.#start(this.#requireReachable(recipientId, senderId));
    actor.hold();
    try {
      let accepted: Future<Accepted>;
      try {
        let known = yield* earlier.wait();
        if (known !== undefined) {
          return { message, accepted: yield* this.#repeat(actor, known, message) };
        }
        const taken = isTaken(actor.state, id);
        if (flaw === "refusals-take-the-id") {
          yield* chat.store.claim(message, "pending");
        }
        if (!taken) {
          yield* reachable.wait();
        }
        yield* turn.reached.wait();
        if (!taken) {
          yield* this.#admit(actor);
        }
        while (actor.state.current !== undefined && actor.state.current.epoch !== socket) {
          socket = actor.state.current.epoch;
          known = yield* chat.store.find(id);
          if (known !== undefined) {
            return { message, accepted: yield* this.#repeat(actor, known, message) };
          }
        }
        if (timeline.now >= deadline) {
          throw TOO_LATE;
        }
        requireSame(actor.state.entries.get(id)?.message ?? message, letter);
        if (flaw === "looks-before-it-stores") {
          yield* chat.wakes.send(actor);
        }
        accepted = actor.offer(message);
      } finally {
        turn.leave();
      }
      return { message, accepted: yield* this.#told(actor, yield* accepted.wait()) };
    } finally {
      actor.letGo();
    }
  }

  *#repeat(actor: ActorModel, known: SendRow, message: ChatMessage): Task<Accepted> {
    const accepted = yield* this.#chat.custody.repeat(known, message);
    if (accepted.state === "stored") {
      actor.handle({ kind: "woken" });
    }
    return yield* this.#told(actor, accepted);
  }

  /** Stored, then looked: whoever has the recipient's events knows before the sender has its answer. */
  *#told(actor: ActorModel, accepted: Accepted): Task<Accepted> {
    if (accepted.state === "stored" && this.#chat.world.flaw !== "looks-before-it-stores") {
      yield* this.#chat.wakes.send(actor);
    }
    return accepted;
  }

  *#requireReachable(recipientId: string, senderId: string): Task<void> {
    const { database } = this.#chat.world;
    if (yield* database.ask(this.#chat.process, () => database.blocks.has(`${recipientId}:${senderId}`))) {
      throw NO_RECIPIENT;
    }
  }

  *#admit(actor: ActorModel): Task<void> {
    const { timeline, room } = this.#chat.world;
    const { accountId } = actor;
    const known = this.#rooms.get(accountId);
    if (known !== undefined && timeline.now - known.at < FRESH_MS && known.messages < room) {
      this.#rooms.set(accountId, { ...known, messages: known.messages + 1 });
      return;
    }
    const at = timeline.now;
    const rough = (yield* this.#chat.store.countWaiting(accountId)) + actor.state.entries.size;
    if (rough < room) {
      this.#rooms.set(accountId, { messages: rough + 1, at });
      return;
    }
    yield* actor.settled();
    const again = timeline.now;
    const exact = yield* this.#chat.store.countWaiting(accountId);
    if (exact >= room) {
      throw INBOX_FULL;
    }
    this.#rooms.set(accountId, { messages: exact + 1, at: again });
  }

  #start<T>(task: Task<T>): Future<T> {
    const future = new Future<T>(this.#chat.world.timeline);
    this.#chat.world.timeline.spawn(task, future.resolve, future.reject);
    return future;
  }
}

function requireSame(message: ChatMessage, { recipientId, body }: Letter): void {
  if (message.recipientId !== recipientId || message.body !== body) {
    throw ID_REUSED;
  }
}
