import type { Attachment, Entry, InboxState } from "./inbox-state.ts";

/** The state with an entry added or replaced. */
export function withEntry(state: InboxState, entry: Entry): InboxState {
  return { ...state, entries: new Map(state.entries).set(entry.message.id, entry) };
}

/** The state without an entry. */
export function withoutEntry(state: InboxState, id: string): InboxState {
  const entries = new Map(state.entries);
  entries.delete(id);
  return { ...state, entries };
}

/** The state with another current socket. */
export function withCurrent(state: InboxState, current: Attachment | undefined): InboxState {
  return { ...state, current };
}

/** The state with some messages no longer in flight on any socket. */
export function landed(state: InboxState, ids: readonly string[]): InboxState {
  const land = (socket: Attachment): Attachment => ({ ...socket, inFlight: without(socket.inFlight, ids) });
  const candidates = new Map([...state.candidates].map(([epoch, candidate]) => [epoch, land(candidate)]));
  return { ...state, candidates, current: state.current && land(state.current) };
}

/** A set without some of its members. */
export function without(set: ReadonlySet<string>, ids: readonly string[]): ReadonlySet<string> {
  const rest = new Set(set);
  for (const id of ids) {
    rest.delete(id);
  }
  return rest;
}
