import type { SallyportError } from "../../../platform/errors.ts";
import { landed, withCurrent, withEntry, without, withoutEntry } from "./change.ts";
import type { Attachment, Emit, Entry, InboxState } from "./inbox-state.ts";
import type { Accepted, ChatMessage } from "./message.ts";
import { hasRoom, readOn } from "./page.ts";

/** A message that may be accepted: pushed at once where nothing older waits, else stored. */
export function offer(state: InboxState, message: ChatMessage, emit: Emit): InboxState {
  const known = state.entries.get(message.id);
  if (known !== undefined && known.phase.kind !== "stored") {
    return offerAgain(state, known, emit);
  }
  if (state.forgetting.has(message.id) || state.early.has(message.id)) {
    // A copy that is gone had pushed it, and its acknowledgement came first.
    emit({ kind: "record", message });
    return withEntry(state, { message, phase: { kind: "recording" }, pushed: true });
  }
  const { current } = state;
  if (current?.inFlight.has(message.id)) {
    // A copy that is gone had pushed it.
    emit({ kind: "linger", id: message.id });
    return withEntry(state, { message, phase: { kind: "lingering" }, pushed: true });
  }
  if (current !== undefined && current.backlog.kind === "drained" && hasRoom(current)) {
    emit({ kind: "push", to: current, message });
    emit({ kind: "linger", id: message.id });
    return withEntry(withCurrent(state, pushedOn(current, message)), { message, phase: { kind: "lingering" }, pushed: true });
  }
  emit({ kind: "store", message });
  const behind = current?.backlog.kind === "drained" ? withCurrent(state, { ...current, backlog: { kind: "behind" } }) : state;
  return withEntry(behind, { message, phase: { kind: "storing", acknowledged: false }, pushed: known?.pushed ?? false });
}

function offerAgain(state: InboxState, { message, phase, pushed }: Entry, emit: Emit): InboxState {
  if (phase.kind !== "adrift") {
    return state;
  }
  if (phase.acknowledged) {
    emit({ kind: "record", message });
    return withEntry(state, { message, phase: { kind: "recording" }, pushed });
  }
  emit({ kind: "linger", id: message.id });
  return withEntry(state, { message, phase: { kind: "lingering" }, pushed });
}

/** Its acknowledgement took too long: it has to be stored. */
export function finishLinger(state: InboxState, id: string, emit: Emit): InboxState {
  const entry = state.entries.get(id);
  if (entry?.phase.kind !== "lingering") {
    return state;
  }
  emit({ kind: "store", message: entry.message });
  return withEntry(state, { ...entry, phase: { kind: "storing", acknowledged: false } });
}

/** It is on a majority of the database, or was ended there before. */
export function finishStore(state: InboxState, id: string, accepted: Accepted, emit: Emit): InboxState {
  const entry = state.entries.get(id);
  if (entry === undefined) {
    return state;
  }
  emit({ kind: "answer", id, accepted });
  const acknowledged = entry.phase.kind === "storing" && entry.phase.acknowledged;
  if (accepted.state !== "stored") {
    if (acknowledged) {
      emit({ kind: "confirm", ids: [id] });
    }
    return readOn(landed(withoutEntry(state, id), [id]), emit);
  }
  if (acknowledged) {
    emit({ kind: "forget", ids: [id] });
    return { ...withoutEntry(state, id), forgetting: new Set(state.forgetting).add(id) };
  }
  const { current } = state;
  if (current === undefined || current.inFlight.has(id)) {
    return withoutEntry(state, id);
  }
  if (current.backlog.kind === "reading") {
    // The page may have been read before the message was there.
    return withEntry(state, { ...entry, phase: { kind: "stored" } });
  }
  return readOn(withCurrent(withoutEntry(state, id), { ...current, backlog: { kind: "behind" } }), emit);
}

/** It is written down as delivered. */
export function finishRecord(state: InboxState, id: string, accepted: Accepted, emit: Emit): InboxState {
  emit({ kind: "answer", id, accepted });
  emit({ kind: "confirm", ids: [id] });
  const early = state.early.has(id) ? without(state.early, [id]) : state.early;
  return readOn(landed(withoutEntry({ ...state, early }, id), [id]), emit);
}

/** The database could not be asked. What was pushed stays known, so that its acknowledgement is not lost. */
export function fail(state: InboxState, id: string, error: SallyportError, emit: Emit): InboxState {
  const entry = state.entries.get(id);
  if (entry === undefined) {
    return state;
  }
  const acknowledged = isAcknowledged(entry);
  emit({ kind: "refuse", id, error, pushed: entry.pushed });
  if (acknowledged) {
    emit({ kind: "disappoint", ids: [id], error });
  }
  if (!state.current?.inFlight.has(id)) {
    // A socket that is not activated yet will not acknowledge it again: it has to be brought again.
    const rest = withoutEntry(state, id);
    return readOn(acknowledged ? landed(rest, [id]) : rest, emit);
  }
  if (acknowledged) {
    emit({ kind: "retryLater", ids: [id] });
  }
  return withEntry(state, { ...entry, phase: { kind: "adrift", acknowledged } });
}

/** Another message has that id: this one is none. */
export function refute(state: InboxState, id: string, error: SallyportError, emit: Emit): InboxState {
  const entry = state.entries.get(id);
  if (entry === undefined) {
    return state;
  }
  emit({ kind: "refuse", id, error, pushed: entry.pushed });
  if (!isAcknowledged(entry)) {
    return readOn(withoutEntry(state, id), emit);
  }
  emit({ kind: "confirm", ids: [id] });
  return readOn(landed(withoutEntry(state, id), [id]), emit);
}

/** The socket after a push. */
export function pushedOn(current: Attachment, { id, body }: ChatMessage): Attachment {
  return { ...current, inFlight: new Set(current.inFlight).add(id), uncredited: current.uncredited + body.length };
}

function isAcknowledged({ phase }: Entry): boolean {
  return phase.kind === "recording" || (phase.kind === "storing" && phase.acknowledged);
}
