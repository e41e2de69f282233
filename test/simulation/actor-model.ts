import { type SallyportError, unavailable } from "../../platform/errors.ts";
import { stepInbox } from "../../services/chat/delivery/inbox.ts";
import {
  type Effect,
  EMPTY_INBOX,
  type InboxState,
  type Input,
  isIdle,
  isSettled,
  type SocketName,
} from "../../services/chat/delivery/inbox-state.ts";
import { type Accepted, type ChatMessage, messageEvent } from "../../services/chat/delivery/message.ts";
import type { CustodyModel } from "./custody-model.ts";
import { Future, Lane } from "./future.ts";
import type { Process, Task } from "./timeline.ts";
import type { World } from "./world.ts";

const LINGER_MS = 150;
const RETRY_MS = 500;
const UNKNOWN: SallyportError = unavailable("the outcome is not known", "OUTCOME_UNKNOWN");

/** As services/chat/delivery/inbox-actor.ts, around the real core of an inbox. */
export class ActorModel {
  readonly accountId: string;
  readonly sends: Lane;
  readonly attachments: Lane;
  readonly #world: World;
  readonly #process: Process;
  readonly #custody: CustodyModel;
  readonly #left: (actor: ActorModel) => void;
  readonly #senders = new Map<string, Future<Accepted>[]>();
  readonly #acknowledgers = new Map<string, Future<undefined>[]>();
  readonly #lingers = new Map<string, number>();
  #settling: Future<undefined>[] = [];
  #lastLinger = 0;
  #retries = 0;
  #holds = 0;
  state: InboxState = EMPTY_INBOX;

  constructor(world: World, process: Process, custody: CustodyModel, accountId: string, left: (actor: ActorModel) => void) {
    this.accountId = accountId;
    this.#world = world;
    this.#process = process;
    this.#custody = custody;
    this.#left = left;
    this.sends = new Lane(world.timeline);
    this.attachments = new Lane(world.timeline);
  }

  get isIdle(): boolean {
    return this.#holds === 0 && isIdle(this.state) && this.#retries === 0;
  }

  /** Keeps the actor until it is let go as often. */
  hold(): void {
    this.#holds += 1;
  }

  letGo(): void {
    this.#holds -= 1;
    this.#leaveIfIdle();
  }

  /** A newer socket has the events elsewhere: noted when what changes who is attached here is done. */
  outdateInTurn(epoch: number, heir: SocketName): void {
    this.#world.timeline.spawn(this.#outdate(epoch, heir));
  }

  offer(message: ChatMessage): Future<Accepted> {
    const answer = addWaiter(this.#senders, message.id, new Future<Accepted>(this.#world.timeline));
    this.handle({ kind: "offered", message });
    return answer;
  }

  *acknowledge(ids: readonly string[]): Task<void> {
    const answers = ids.map((id) => addWaiter(this.#acknowledgers, id, new Future<undefined>(this.#world.timeline)));
    this.handle({ kind: "acknowledged", ids });
    for (const answer of answers) {
      yield* answer.wait();
    }
  }

  /** Settles when no message is on its way into the database. */
  *settled(): Task<void> {
    if (!isSettled(this.state)) {
      const settled = new Future<undefined>(this.#world.timeline);
      this.#settling.push(settled);
      yield* settled.wait();
    }
  }

  handle(input: Input): void {
    const [state, effects] = stepInbox(this.state, input);
    this.state = state;
    for (const effect of effects) {
      this.#run(effect);
    }
    if (this.#settling.length > 0 && isSettled(this.state)) {
      for (const settled of this.#settling.splice(0)) {
        settled.resolve(undefined);
      }
    }
    this.#leaveIfIdle();
  }

  *#outdate(epoch: number, heir: SocketName): Task<void> {
    const turn = this.attachments.enter();
    yield* turn.reached.wait();
    this.handle({ kind: "outdated", epoch, heir });
    turn.leave();
  }

  #leaveIfIdle(): void {
    if (this.isIdle) {
      this.#left(this);
    }
  }

  #run(effect: Effect): void {
    switch (effect.kind) {
      case "push":
        this.#world.timeline.log?.(`${this.#process.name} pushes ${effect.message.id} to epoch ${effect.to.epoch} of ${this.accountId}`);
        effect.to.gateway.push(effect.to.connection, effect.to.epoch, messageEvent(effect.message));
        break;
      case "pushQueueEmpty":
        effect.to.gateway.push(effect.to.connection, effect.to.epoch, QUEUE_EMPTY);
        break;
      case "pushDisplaced":
        effect.to.gateway.push(effect.to.connection, effect.to.epoch, DISPLACED);
        break;
      case "linger":
        this.#linger(effect.id);
        break;
      case "store":
        this.#settle(effect.message, "stored", this.#custody.store(effect.message));
        break;
      case "record":
        this.#settle(effect.message, "recorded", this.#custody.record(effect.message));
        break;
      case "forget":
        this.#forget(effect.ids);
        break;
      case "read":
        this.#read(effect);
        break;
      case "retryLater":
        this.#later({ kind: "retried", ids: effect.ids });
        break;
      case "wakeLater":
        this.#later({ kind: "woken" });
        break;
      case "answer":
        settle(this.#senders, [effect.id], (waiter) => waiter.resolve(effect.accepted));
        break;
      case "refuse": {
        const error = effect.pushed && effect.error.status !== "UNAVAILABLE" ? UNKNOWN : effect.error;
        settle(this.#senders, [effect.id], (waiter) => waiter.reject(error));
        break;
      }
      case "confirm":
        settle(this.#acknowledgers, effect.ids, (waiter) => waiter.resolve(undefined));
        break;
      case "disappoint":
        settle(this.#acknowledgers, effect.ids, (waiter) => waiter.reject(effect.error));
        break;
    }
  }

  #linger(id: string): void {
    this.#lastLinger += 1;
    const turn = this.#lastLinger;
    this.#lingers.set(id, turn);
    this.#world.timeline.after(LINGER_MS, this.#process, () => {
      if (this.#lingers.get(id) === turn) {
        this.#lingers.delete(id);
        this.handle({ kind: "lingered", id });
      }
    });
  }

  #later(input: Input): void {
    this.#retries += 1;
    this.#world.timeline.after(RETRY_MS, this.#process, () => {
      this.#retries -= 1;
      this.handle(input);
    });
  }

  #settle({ id }: ChatMessage, kind: "stored" | "recorded", outcome: Task<Accepted>): void {
    this.#lingers.delete(id);
    this.#world.timeline.spawn(
      outcome,
      (accepted) => this.handle({ kind, id, accepted }),
      (thrown) => {
        const error = thrown as SallyportError;
        this.handle({ kind: error.status === "ALREADY_EXISTS" ? "refuted" : "failed", id, error });
      },
    );
  }

  #forget(ids: readonly string[]): void {
    this.#world.timeline.spawn(
      this.#custody.forget(this.accountId, ids),
      (unknown) => this.handle({ kind: "forgotten", ids, unknown }),
      (error) => this.handle({ kind: "notForgotten", ids, error: error as SallyportError }),
    );
  }

  #read({ epoch, exclude, maxMessages, maxBytes }: Extract<Effect, { kind: "read" }>): void {
    this.#world.timeline.spawn(
      this.#custody.read(this.accountId, { exclude, maxMessages, maxBytes }),
      (page) => this.handle({ kind: "pageRead", epoch, ...page }),
      () => this.handle({ kind: "pageFailed", epoch }),
    );
  }
}

/** The event that tells a socket of its successor. */
export const DISPLACED = { kind: { $case: "displaced", value: {} } } as const;
const QUEUE_EMPTY = { kind: { $case: "queueEmpty", value: {} } } as const;

function addWaiter<T>(waiting: Map<string, Future<T>[]>, id: string, waiter: Future<T>): Future<T> {
  const others = waiting.get(id);
  if (others === undefined) {
    waiting.set(id, [waiter]);
  } else {
    others.push(waiter);
  }
  return waiter;
}

function settle<T>(waiting: Map<string, Future<T>[]>, ids: readonly string[], act: (waiter: Future<T>) => void): void {
  for (const id of ids) {
    const waiters = waiting.get(id);
    if (waiters !== undefined) {
      waiting.delete(id);
      waiters.forEach(act);
    }
  }
}
