import type { Holder } from "../store/schema.ts";
import type { SocketName } from "./inbox-state.ts";

/** What is written down about an account's socket: the last epoch that was given out, and who has the events. */
export type PresenceState = { readonly epoch: number; readonly current?: Holder };

/** The outcome of asking for an epoch. */
export type Claim = { readonly kind: "claimed"; readonly epoch: number } | { readonly kind: "tooLate" };

/** The outcome of taking over: it is the current one (`previous`: who was before it); a newer one is; it needs a new
 * epoch; or the deadline has passed. */
export type Takeover =
  | { readonly kind: "taken"; readonly previous?: Holder }
  | { readonly kind: "outdated"; readonly heir: Holder }
  | { readonly kind: "behind" }
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
 * Makes a socket the current one, unless a newer one is. A repeat changes nothing. Sockets are older and newer by their first epochs: one that is
 * attached again, as its copy went away, is no newer for it. `behind`: an older one was attached again meanwhile, a new epoch has to be claimed.
 */
export function takeOver(state: PresenceState, holder: Holder, now: number, deadline: number): [PresenceState, Takeover] {
  const { current } = state;
  if (current?.epoch === holder.epoch) {
    return [state, { kind: "taken" }];
  }
  if (current !== undefined && isNewer(current, holder)) {
    return [state, { kind: "outdated", heir: current }];
  }
  if (current !== undefined && current.epoch > holder.epoch) {
    return [state, { kind: "behind" }];
  }
  if (now >= deadline) {
    return [state, { kind: "tooLate" }];
  }
  return [
    { ...state, current: holder },
    { kind: "taken", ...(current && { previous: current }) },
  ];
}

/** Whether the socket that has the events is newer than one that wants them; or the same one, attached again later. */
export function isNewer(current: Holder, holder: Holder): boolean {
  return isSameSocket(current, holder) ? current.epoch > holder.epoch : rankOf(current) > rankOf(holder);
}

/** The first epoch of a socket. */
export function rankOf({ rank, epoch }: Holder): number {
  return rank ?? epoch;
}

/** Whether two names are of one socket, in whatever epochs. */
export function isSameSocket(one: SocketName, other: SocketName): boolean {
  return one.incarnation === other.incarnation && one.connection === other.connection;
}

/** The socket of an epoch is gone; `heir` has the events again, if there is one. Of another epoch nothing changes. */
export function giveUp(state: PresenceState, epoch: number, heir?: Holder): PresenceState {
  if (state.current?.epoch !== epoch) {
    return state;
  }
  return heir === undefined ? { epoch: state.epoch } : { epoch: state.epoch, current: heir };
}
