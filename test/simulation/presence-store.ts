import { claimEpoch, giveUp, type PresenceState, type Takeover, takeOver } from "../../services/chat/delivery/presence-rules.ts";
import type { Holder } from "../../services/chat/store/schema.ts";
import { EPOCH_OVERTAKEN, TOO_LATE } from "./failures.ts";
import type { Process, Task } from "./timeline.ts";
import type { World } from "./world.ts";

/** What taking over came to. */
export type Taken =
  | { readonly kind: "taken"; readonly previous: Holder | undefined }
  | { readonly kind: "outdated"; readonly heir: Holder };

/** The verbs of services/chat/store/presence.ts for one process, by the rules of services/chat/delivery/presence-rules.ts. */
export class PresenceStore {
  readonly #world: World;
  readonly #owner: Process;

  constructor(world: World, owner: Process) {
    this.#world = world;
    this.#owner = owner;
  }

  *claimEpoch(accountId: string, deadline: number): Task<number> {
    const claim = yield* this.#change(accountId, "claim", (state, now) => claimEpoch(state, now, deadline));
    if (claim.kind === "tooLate") {
      throw TOO_LATE;
    }
    return claim.epoch;
  }

  *takeOver(accountId: string, holder: Holder, deadline: number): Task<Taken> {
    const { flaw } = this.#world;
    const fence = flaw === "takes-over-unfenced" ? Number.POSITIVE_INFINITY : deadline;
    const takeover = yield* this.#change(accountId, "takeOver", (state, now): readonly [PresenceState, Takeover] => {
      if (flaw === "takes-over-uncompared" && state.current?.epoch !== holder.epoch) {
        const { current: previous, epoch } = state;
        return [{ epoch, current: holder }, previous === undefined ? { kind: "taken" } : { kind: "taken", previous }];
      }
      return takeOver(state, holder, now, fence);
    });
    switch (takeover.kind) {
      case "taken":
        return { kind: "taken", previous: takeover.previous };
      case "outdated":
        return takeover;
      case "behind":
        throw EPOCH_OVERTAKEN;
      case "tooLate":
        throw TOO_LATE;
    }
  }

  /** Answers whether it had the events. */
  *giveUp(accountId: string, epoch: number, heir?: Holder): Task<boolean> {
    const isLax = this.#world.flaw === "gives-up-any-epoch";
    return yield* this.#change(accountId, epoch, (state) => {
      const after = giveUp(state, isLax ? (state.current?.epoch ?? epoch) : epoch, heir);
      return [after, after !== state];
    });
  }

  find(accountId: string): Task<Holder | undefined> {
    const { presence } = this.#world.database;
    return this.#world.database.ask(this.#owner, () => presence.get(accountId)?.current);
  }

  findAll(accountIds: readonly string[]): Task<ReadonlyMap<string, Holder>> {
    const { presence } = this.#world.database;
    return this.#world.database.ask(
      this.#owner,
      () =>
        new Map(
          accountIds.flatMap((id) => {
            const current = presence.get(id)?.current;
            return current === undefined ? [] : [[id, current] as const];
          }),
        ),
    );
  }

  #change<T>(
    accountId: string,
    by: "claim" | "takeOver" | number,
    change: (state: PresenceState, now: number) => readonly [PresenceState, T],
  ): Task<T> {
    const { database, socketWatch, timeline } = this.#world;
    return database.ask(this.#owner, () => {
      const before = database.presence.get(accountId) ?? { epoch: 0 };
      const [after, outcome] = change(before, timeline.now);
      if (after !== before) {
        database.presence.set(accountId, after);
        timeline.log?.(`presence of ${accountId}: ${describe(after)} (${this.#owner.name})`);
        socketWatch.presenceWritten(accountId, before, after, by);
      }
      return outcome;
    });
  }
}

function describe({ epoch, current }: PresenceState): string {
  const holder = current === undefined ? "nobody" : `${current.incarnation}/${current.connection} with epoch ${current.epoch}`;
  return `${holder}, last epoch ${epoch}`;
}
