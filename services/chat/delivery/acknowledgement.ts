import type { SallyportError } from "../../../platform/errors.ts";
import { landed, withCurrent, withEntry, without, withoutEntry } from "./change.ts";
import type { Emit, InboxState, Input } from "./inbox-state.ts";
import { MAX_IN_FLIGHT, readOn, wake } from "./page.ts";

/** The recipient has kept these, says one of its sockets or a call. */
export function acknowledge(state: InboxState, ids: readonly string[], emit: Emit): InboxState {
  let next = noteWhileReading(state, ids);
  const forget: string[] = [];
  for (const id of new Set(ids)) {
    const entry = next.entries.get(id);
    switch (entry?.phase.kind) {
      case "lingering":
        emit({ kind: "record", message: entry.message });
        next = withEntry(next, { ...entry, phase: { kind: "recording" } });
        break;
      case "adrift":
        if (!entry.phase.acknowledged) {
          emit({ kind: "record", message: entry.message });
          next = withEntry(next, { ...entry, phase: { kind: "recording" } });
        }
        break;
      case "storing":
        next = withEntry(next, { ...entry, phase: { kind: "storing", acknowledged: true } });
        break;
      case "stored":
        next = withoutEntry(next, id);
        forget.push(id);
        break;
      case "recording":
        break;
      case undefined:
        if (!next.forgetting.has(id)) {
          forget.push(id);
        }
        break;
    }
  }
  if (forget.length === 0) {
    return next;
  }
  emit({ kind: "forget", ids: forget });
  return { ...next, forgetting: new Set([...next.forgetting, ...forget]) };
}

/** They are delivered, durably: room for others. Those of which nothing was written down may still come. */
export function forgotten(state: InboxState, { ids, unknown }: Extract<Input, { kind: "forgotten" }>, emit: Emit): InboxState {
  emit({ kind: "confirm", ids });
  // What was offered since is in flight until it is written down itself.
  const settled = ids.filter((id) => !state.entries.has(id));
  // As many as a socket may have in flight, the latest.
  const early = new Set([...without(state.early, ids), ...unknown].slice(-MAX_IN_FLIGHT));
  return readOn({ ...landed(state, settled), forgetting: without(state.forgetting, ids), early }, emit);
}

/** The database could not be asked. What the socket will not acknowledge again is tried again from here. */
export function notForgotten(state: InboxState, ids: readonly string[], error: SallyportError, emit: Emit): InboxState {
  emit({ kind: "disappoint", ids, error });
  const sockets = [...state.candidates.values(), ...(state.current ? [state.current] : [])];
  const inFlight = ids.filter((id) => sockets.some((socket) => socket.inFlight.has(id)));
  if (inFlight.length > 0) {
    emit({ kind: "retryLater", ids: inFlight });
  }
  const rest = ids.filter((id) => !inFlight.includes(id));
  const next = { ...state, forgetting: without(state.forgetting, rest) };
  return rest.length > 0 ? wake(next, emit) : next;
}

/** Tries again what failed. */
export function retry(state: InboxState, ids: readonly string[], emit: Emit): InboxState {
  let next = state;
  for (const id of ids) {
    const entry = next.entries.get(id);
    if (entry?.phase.kind === "adrift" && entry.phase.acknowledged) {
      emit({ kind: "record", message: entry.message });
      next = withEntry(next, { ...entry, phase: { kind: "recording" } });
    }
  }
  const forget = ids.filter((id) => next.forgetting.has(id));
  if (forget.length > 0) {
    emit({ kind: "forget", ids: forget });
  }
  return next;
}

function noteWhileReading(state: InboxState, ids: readonly string[]): InboxState {
  const { current } = state;
  if (current?.backlog.kind !== "reading") {
    return state;
  }
  const acknowledged = new Set([...current.backlog.acknowledged, ...ids]);
  return withCurrent(state, { ...current, backlog: { ...current.backlog, acknowledged } });
}
