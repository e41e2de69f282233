import {
  type Claim,
  claimEpoch,
  giveUp,
  type PresenceState,
  type Takeover,
  takeOver,
} from "../../services/chat/delivery/presence-rules.ts";
import type { Holder } from "../../services/chat/store/schema.ts";
import { EPOCH_OVERTAKEN, TOO_LATE } from "./failures.ts";
import type { Process, Task } from "./timeline.ts";
import type { World } from "./world.ts";

/** What taking over came to. */
export type Taken =
  | { readonly kind: "taken"; readonly previous: Holder | undefined }
  | { readonly kind: "outdated"; readonly heir: Holder };

/** The verbs of services/chat/store/presence.ts for one process, by the rules of services/chat/delivery/presence-rules.ts; each in a batch of its own. */
export class PresenceStore {
  readonly #world: World;
  readonly #owner: Process;

  constructor(world: World, owner: Process) {
    this.#world = world;
    this.#owner = owner;
  }

  *claimEpoch(accountId: string, deadline: number): Task<number> {
    const before = yield* this.#read(accountId);
    let claim = yield* this.#change(accountId, "claim", (state, now): readonly [PresenceState, Claim] =>
      state.epoch === before.epoch ? claimEpoch(state, now, deadline) : [state, { kind: "tooLate" }],
    );
    if (claim.kind === "tooLate" && (yield* this.#read(accountId)).epoch !== before.epoch) {
      claim = yield* this.#change(accountId, "claim", (state, now) => claimEpoch(state, now, deadline));
    }
    if (claim.kind === "tooLate") {
      throw TOO_LATE;
    }
    return claim.epoch;
  }

  *takeOver(accountId: string, holder: Holder, deadline: number): Task<Taken> {
    const { flaw } = this.#world;
    const fence = flaw === "takes-over-unfenced" ? Number.POSITIVE_INFINITY : deadline;
    const attempt = (state: PresenceState, now: number): readonly [PresenceState, Takeover] => {
      if (flaw === "takes-over-uncompared" && state.current?.epoch !== holder.epoch) {
        const { current: previous, epoch } = state;
        return [{ epoch, current: holder }, previous === undefined ? { kind: "taken" } : { kind: "taken", previous }];
      }
      return takeOver(state, holder, now, fence);
    };
    const before = yield* this.#read(accountId);
    const made = yield* this.#change(accountId, "takeOver", (state, now): readonly [PresenceState, Takeover | undefined] => {
      const [after, outcome] = attempt(state, now);
      return state.current?.epoch === before.current?.epoch && after !== state ? [after, outcome] : [state, undefined];
    });
    const takeover = made ?? (yield* this.#settle(accountId, holder, before, attempt));
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
    const wasCurrent = yield* this.#change(accountId, epoch, (state) => {
      const after = giveUp(state, isLax ? (state.current?.epoch ?? epoch) : epoch, heir);
      return [after, after !== state];
    });
    if (!wasCurrent) {
      yield* this.#read(accountId);
    }
    return wasCurrent;
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

  /** Nothing was written: what is there now tells why, or it is tried again where it has changed. */
  *#settle(
    accountId: string,
    holder: Holder,
    before: PresenceState,
    attempt: (state: PresenceState, now: number) => readonly [PresenceState, Takeover],
  ): Task<Takeover> {
    const after = yield* this.#read(accountId);
    if (after.current?.epoch === before.current?.epoch) {
      return takeOver(after, holder, 0, 0)[1];
    }
    return yield* this.#change(accountId, "takeOver", attempt);
  }

  #read(accountId: string): Task<PresenceState> {
    const { database } = this.#world;
    return database.ask(this.#owner, () => database.presence.get(accountId) ?? { epoch: 0 });
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
