import type { Holder } from "../../services/chat/store/schema.ts";
import type { ActorModel } from "./actor-model.ts";
import type { ChatCopy } from "./chat-copy.ts";
import { OUTAGE } from "./failures.ts";
import type { Task } from "./timeline.ts";

const LOOK_MS = 1_000;
const BELIEVED_MS = 1_000;

/** As services/chat/delivery/wakes.ts: tells the copy that delivers to an account what came to pass through this one. */
export class WakesModel {
  readonly #chat: ChatCopy;
  readonly #believed = new Map<ActorModel, { readonly epoch: number; readonly at: number }>();

  constructor(chat: ChatCopy) {
    this.#chat = chat;
  }

  /** The socket of an epoch here was made the account's current one. */
  believe(actor: ActorModel, epoch: number): void {
    this.#believed.set(actor, { epoch, at: this.#chat.world.timeline.now });
  }

  /** Settles once the gateway of whoever has the account's events is told. Never fails. */
  *send(actor: ActorModel): Task<void> {
    if (this.#isCurrent(actor)) {
      return;
    }
    let holder: Holder | undefined;
    try {
      holder = yield* this.#look(actor.accountId);
    } catch {
      return;
    }
    if (holder === undefined) {
      return;
    }
    if (holder.copy === this.#chat.name) {
      this.believe(actor, holder.epoch);
      return;
    }
    this.#outdate(actor, holder);
    this.#chat.gateway(holder.incarnation)?.wake(holder.connection);
  }

  /** Nobody waits longer than a second for the presence. */
  *#look(accountId: string): Task<Holder | undefined> {
    const { world, process, presence } = this.#chat;
    return (yield (resume, fail) => {
      let isOver = false;
      const once = (act: () => void): void => {
        if (!isOver) {
          isOver = true;
          act();
        }
      };
      world.timeline.after(LOOK_MS, process, () => once(() => fail(OUTAGE)));
      world.timeline.spawn(
        presence.find(accountId),
        (holder) => once(() => resume(holder)),
        (error) => once(() => fail(error)),
      );
    }) as Holder | undefined;
  }

  #isCurrent(actor: ActorModel): boolean {
    const { current } = actor.state;
    const believed = this.#believed.get(actor);
    return current !== undefined && believed?.epoch === current.epoch && this.#chat.world.timeline.now - believed.at < BELIEVED_MS;
  }

  #outdate(actor: ActorModel, heir: Holder): void {
    const epoch = actor.state.current?.epoch;
    if (epoch !== undefined && epoch < heir.epoch) {
      actor.outdateInTurn(epoch, heir);
    }
  }
}
