import { type SallyportError, toSallyportError, unavailable } from "../../../platform/errors.ts";
import type { Holder } from "../store/schema.ts";
import { stepInbox } from "./inbox.ts";
import { type Effect, EMPTY_INBOX, type InboxState, type Input, isIdle, isSettled } from "./inbox-state.ts";
import { InboxTimers } from "./inbox-timers.ts";
import { Lane } from "./lane.ts";
import { type Accepted, type ChatMessage, messageEvent } from "./message.ts";
import { Waiters } from "./waiters.ts";

/** What the effects of an inbox are run against. */
export interface InboxPorts {
  readonly lingerMs: number;
  /** @throws ALREADY_EXISTS when another message has the id; UNAVAILABLE. */
  store(message: ChatMessage): Promise<Accepted>;
  /** Writes a message down that was delivered before it was stored. @throws as `store`. */
  record(message: ChatMessage): Promise<Accepted>;
  /** Ends messages of that inbox as delivered; answers those that were not there. */
  forget(recipientId: string, ids: readonly string[]): Promise<readonly string[]>;
  read(
    recipientId: string,
    page: { exclude: readonly string[]; maxMessages: number; maxBytes: number },
  ): Promise<{ messages: readonly ChatMessage[]; exhausted: boolean }>;
  /** Something failed that the inbox tries again by itself. */
  failed(error: SallyportError): void;
}

const RETRY_MS = 500;

/** Runs one account's inbox: feeds the pure core, carries out its effects, brings their outcomes back. */
export class InboxActor {
  readonly accountId: string;
  /** Sends enter here, in the order in which they arrived. */
  readonly sends: Lane = new Lane();
  /** What changes who is attached enters here. */
  readonly attachments: Lane = new Lane();
  readonly #ports: InboxPorts;
  readonly #left: () => void;
  readonly #senders = new Waiters<Accepted>();
  readonly #acknowledgers = new Waiters<void>();
  readonly #timers = new InboxTimers();
  #settling: (() => void)[] = [];
  #state: InboxState = EMPTY_INBOX;
  #holds = 0;
  #disposed = false;

  /** `left` is called whenever the actor may be forgotten. */
  constructor(accountId: string, ports: InboxPorts, left: () => void) {
    this.accountId = accountId;
    this.#ports = ports;
    this.#left = left;
  }

  get state(): InboxState {
    return this.#state;
  }

  get isIdle(): boolean {
    return this.#holds === 0 && isIdle(this.#state) && !this.#timers.isRetrying;
  }

  /** Keeps the actor while something runs. */
  async hold<T>(action: () => Promise<T>): Promise<T> {
    this.#holds += 1;
    try {
      return await action();
    } finally {
      this.#holds -= 1;
      this.#leaveIfIdle();
    }
  }

  /** Offers a message that may be accepted. @throws what `store` and `record` throw; after a push UNAVAILABLE only. */
  offer(message: ChatMessage): Promise<Accepted> {
    const answer = this.#senders.add(message.id);
    this.handle({ kind: "offered", message });
    return answer;
  }

  /** Settles when all of these are durably forgotten. */
  async acknowledge(ids: readonly string[]): Promise<void> {
    const unique = [...new Set(ids)];
    const answers = unique.map((id) => this.#acknowledgers.add(id));
    this.handle({ kind: "acknowledged", ids: unique });
    await Promise.all(answers);
  }

  /**
   * A newer socket has the events: what lingers here is stored, and wakes it in its turn. Noted in the turn of what attaches, as an activation that
   * is under way here tells the older socket itself. Of an older one than the current here nothing changes.
   */
  outdate(heir: Holder): void {
    const epoch = this.#state.current?.epoch;
    if (epoch !== undefined && epoch < heir.epoch) {
      void this.attachments.run(() => this.handle({ kind: "outdated", epoch, heir }));
    }
  }

  /** Settles when no message is on its way into the database. */
  settled(): Promise<void> {
    return isSettled(this.#state) ? Promise.resolve() : new Promise((resolve) => this.#settling.push(resolve));
  }

  /** Tells the core what happened. */
  handle(input: Input): void {
    if (this.#disposed) {
      return;
    }
    const [state, effects] = stepInbox(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      this.#run(effect);
    }
    if (this.#settling.length > 0 && isSettled(this.#state)) {
      for (const settle of this.#settling.splice(0)) {
        settle();
      }
    }
    this.#leaveIfIdle();
  }

  /** Stops its timers; whoever waits is told that the outcome is unknown. */
  dispose(): void {
    this.#disposed = true;
    this.#timers.stop();
    const stopping = unavailable("the service is stopping", "STOPPING");
    this.#senders.rejectAll(stopping);
    this.#acknowledgers.rejectAll(stopping);
  }

  #leaveIfIdle(): void {
    if (this.isIdle) {
      this.#left();
    }
  }

  #run(effect: Effect): void {
    switch (effect.kind) {
      case "push":
        effect.to.gateway.push(effect.to.connection, effect.to.epoch, messageEvent(effect.message));
        break;
      case "pushQueueEmpty":
        effect.to.gateway.push(effect.to.connection, effect.to.epoch, { kind: { $case: "queueEmpty", value: {} } });
        break;
      case "pushDisplaced":
        effect.to.gateway.push(effect.to.connection, effect.to.epoch, { kind: { $case: "displaced", value: {} } });
        break;
      case "linger":
        this.#timers.linger(effect.id, this.#ports.lingerMs, () => this.handle({ kind: "lingered", id: effect.id }));
        break;
      case "store":
        void this.#settle(effect.message, "stored", this.#ports.store(effect.message));
        break;
      case "record":
        void this.#settle(effect.message, "recorded", this.#ports.record(effect.message));
        break;
      case "forget":
        void this.#forget(effect.ids);
        break;
      case "read":
        void this.#read(effect);
        break;
      case "retryLater":
        this.#timers.retry(RETRY_MS, () => this.handle({ kind: "retried", ids: effect.ids }));
        break;
      case "wakeLater":
        this.#timers.retry(RETRY_MS, () => this.handle({ kind: "woken" }));
        break;
      case "answer":
        this.#senders.resolve(effect.id, effect.accepted);
        break;
      case "refuse":
        this.#senders.reject(effect.id, effect.pushed ? asUnavailable(effect.error) : effect.error);
        break;
      case "confirm":
        for (const id of effect.ids) {
          this.#acknowledgers.resolve(id, undefined);
        }
        break;
      case "disappoint":
        for (const id of effect.ids) {
          this.#acknowledgers.reject(id, effect.error);
        }
        break;
    }
  }

  async #settle({ id }: ChatMessage, kind: "stored" | "recorded", outcome: Promise<Accepted>): Promise<void> {
    this.#timers.endLinger(id);
    try {
      const accepted = await outcome;
      this.handle({ kind, id, accepted });
    } catch (thrown) {
      const error = toSallyportError(thrown);
      this.handle({ kind: error.status === "ALREADY_EXISTS" ? "refuted" : "failed", id, error });
    }
  }

  async #forget(ids: readonly string[]): Promise<void> {
    let unknown: readonly string[];
    try {
      unknown = await this.#ports.forget(this.accountId, ids);
    } catch (thrown) {
      this.handle({ kind: "notForgotten", ids, error: toSallyportError(thrown) });
      return;
    }
    this.handle({ kind: "forgotten", ids, unknown });
  }

  async #read({ epoch, exclude, maxMessages, maxBytes }: Extract<Effect, { kind: "read" }>): Promise<void> {
    try {
      const page = await this.#ports.read(this.accountId, { exclude, maxMessages, maxBytes });
      this.handle({ kind: "pageRead", epoch, ...page });
    } catch (thrown) {
      this.#ports.failed(toSallyportError(thrown));
      this.handle({ kind: "pageFailed", epoch });
    }
  }
}

function asUnavailable(error: SallyportError): SallyportError {
  return error.status === "UNAVAILABLE" ? error : unavailable("the outcome is not known", "OUTCOME_UNKNOWN", error);
}
