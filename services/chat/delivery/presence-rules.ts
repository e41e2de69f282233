import type { Holder } from "../store/schema.ts";

/** What is written down about an account's socket: the last epoch that was given out, and who has the events. */
export type PresenceState = { readonly epoch: number; readonly current?: Holder };

/** The outcome of asking for an epoch. */
export type Claim = { readonly kind: "claimed"; readonly epoch: number } | { readonly kind: "tooLate" };

/** The outcome of taking over: it is the current one (`previous`: who was before it); a newer one is; or the deadline has passed. */
export type Takeover =
  | { readonly kind: "taken"; readonly previous?: Holder }
  | { readonly kind: "outdated"; readonly heir: Holder }
  | { readonly kind: "tooLate" };

/** A new epoch for a socket; nobody loses anything by it. Times by the database's clock, in milliseconds. */
export function claimEpoch(state: PresenceState | undefined, now: number, deadline: number): [PresenceState, Claim] {
  const known = state ?? { epoch: 0 };
  if (now >= deadline) {
    return [known, { kind: "tooLate" }];
  }
  const epoch = known.epoch + 1;
  return [
    { ...known, epoch },
    { kind: "claimed", epoch },
  ];
}

/**
 * Makes a socket the current one, unless a newer one is. A repeat changes nothing. `previousEpoch`: the one that the socket had before, 0 for none:
 * a socket that is attached again is as new as it was, or it would displace one that displaced it meanwhile.
 */
export function takeOver(
  state: PresenceState,
  holder: Holder,
  now: number,
  deadline: number,
  previousEpoch = 0,
): [PresenceState, Takeover] {
  const { current } = state;
  if (current?.epoch === holder.epoch) {
    return [state, { kind: "taken" }];
  }
  if (current !== undefined && isNewer(current, holder, previousEpoch)) {
    return [state, { kind: "outdated", heir: current }];
  }
  if (now >= deadline) {
    return [state, { kind: "tooLate" }];
  }
  return [
    { ...state, current: holder },
    { kind: "taken", ...(current && { previous: current }) },
  ];
}

/** Whether the socket that has the events is newer than one that wants them. */
export function isNewer(current: Holder, holder: Holder, previousEpoch: number): boolean {
  const isSame = current.incarnation === holder.incarnation && current.connection === holder.connection;
  return current.epoch > (previousEpoch === 0 || isSame ? holder.epoch : Math.min(previousEpoch, holder.epoch));
}

/** The socket of an epoch is gone; `heir` has the events again, if there is one. Of another epoch nothing changes. */
export function giveUp(state: PresenceState, epoch: number, heir?: Holder): PresenceState {
  if (state.current?.epoch !== epoch) {
    return state;
  }
  return heir === undefined ? { epoch: state.epoch } : { epoch: state.epoch, current: heir };
}
