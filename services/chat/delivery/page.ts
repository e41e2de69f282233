import { withCurrent } from "./change.ts";
import type { Attachment, Emit, Entry, InboxState, Input } from "./inbox-state.ts";
import type { ChatMessage } from "./message.ts";

/** At most so many messages are unacknowledged on a socket. */
export const MAX_IN_FLIGHT = 256;
/** At most so many bytes of bodies wait for a socket; the last message may exceed it. */
export const MAX_UNCREDITED = 262_144;

type PageRead = Extract<Input, { kind: "pageRead" }>;
type Reading = Attachment & { readonly backlog: { readonly kind: "reading" } };

/** Whether one more message may be pushed. */
export function hasRoom({ inFlight, uncredited }: Attachment): boolean {
  return inFlight.size < MAX_IN_FLIGHT && uncredited < MAX_UNCREDITED;
}

/** Asks for what the current socket has not had, if there may be something and there is room. No cursor: late writers would be skipped. */
export function readOn(state: InboxState, emit: Emit, isAgain = false): InboxState {
  const { current } = state;
  if (current === undefined || current.backlog.kind !== "behind" || !hasRoom(current)) {
    return state;
  }
  emit({
    kind: "read",
    epoch: current.epoch,
    exclude: [...new Set([...current.inFlight, ...state.entries.keys(), ...state.forgetting])],
    maxMessages: MAX_IN_FLIGHT - current.inFlight.size,
    maxBytes: MAX_UNCREDITED - current.uncredited,
  });
  return withCurrent(state, { ...current, backlog: { kind: "reading", acknowledged: new Set(), woken: false, isAgain } });
}

/** Something may wait that this process does not know of. */
export function wake(state: InboxState, emit: Emit): InboxState {
  const { current } = state;
  switch (current?.backlog.kind) {
    case undefined:
      return state;
    case "reading":
      return withCurrent(state, { ...current, backlog: { ...current.backlog, woken: true } });
    case "drained":
    case "behind":
      return readOn(withCurrent(state, { ...current, backlog: { kind: "behind" } }), emit);
  }
}

/** The database could not be asked: later again. */
export function failPage(state: InboxState, epoch: number, emit: Emit): InboxState {
  const current = readingOn(state, epoch);
  if (current === undefined) {
    return state;
  }
  emit({ kind: "wakeLater" });
  return fallBehind(state, current);
}

/** Pushes a page's messages and those that are only in memory, by their order, as far as there is room. */
export function turnPage(before: InboxState, page: PageRead, emit: Emit): InboxState {
  const state = forgetEarly(before, page.messages, emit);
  const current = readingOn(state, page.epoch);
  if (current === undefined) {
    return state;
  }
  if (current.backlog.woken) {
    // It may lack what has come since, and what was left out of it then: newer messages would pass those. One page is read again for that;
    // where wakes come faster than pages, what is older than all of memory goes on.
    const due = current.backlog.isAgain ? olderThanMemory(state, current, page.messages) : [];
    return readOn(fallBehind(state, pushAll(current, due, emit).socket), emit, true);
  }
  const { due, barrier } = mergeDue(state, current, page);
  const { socket, count } = pushAll(current, due, emit);
  const isBarred = barrier < Number.POSITIVE_INFINITY;
  const isDone = page.exhausted && count === due.length && !isBarred;
  const settled = isDone && !socket.queueEmptied ? emptied(socket, emit) : socket;
  const backlog = isDone ? ({ kind: "drained" } as const) : ({ kind: "behind" } as const);
  const entries = withoutStored(markPushed(state.entries, due.slice(0, count)));
  const turned = { ...state, entries, current: { ...settled, backlog } };
  // What bars the way is settled soon, one way or the other, and it goes on then.
  return isBarred ? turned : readOn(turned, emit);
}

/** What was acknowledged before it was written down waits for nobody. */
function forgetEarly(state: InboxState, messages: readonly ChatMessage[], emit: Emit): InboxState {
  const ids = messages.flatMap(({ id }) => (state.early.has(id) && !state.forgetting.has(id) ? [id] : []));
  if (ids.length === 0) {
    return state;
  }
  emit({ kind: "forget", ids });
  return { ...state, forgetting: new Set([...state.forgetting, ...ids]) };
}

function fallBehind(state: InboxState, current: Attachment): InboxState {
  return { ...state, entries: withoutStored(state.entries), current: { ...current, backlog: { kind: "behind" } } };
}

/**
 * The messages of a page and of memory that may be pushed, by their order. What came before the socket, is being stored and not on the page is
 * not pushed: another copy may have delivered and ended it, which only the database knows; of what came later the ledger was asked since. From the
 * first such order on, the barrier, all others wait for it.
 */
function mergeDue(
  state: InboxState,
  current: Reading,
  { messages, exhausted }: PageRead,
): { readonly due: readonly ChatMessage[]; readonly barrier: number } {
  // What is newer than the page may have something older before it that is on the next page.
  const end = exhausted ? Number.POSITIVE_INFINITY : (messages.at(-1)?.order ?? Number.NEGATIVE_INFINITY);
  const onPage = new Set(messages.map(({ id }) => id));
  const inMemory = [...state.entries.values()].filter((entry) => isUnpushed(entry, current) && entry.message.order <= end);
  const isSure = ({ message, phase }: Entry): boolean => phase.kind === "stored" || onPage.has(message.id) || message.order > current.mark;
  const barrier = Math.min(...inMemory.flatMap((entry) => (isSure(entry) ? [] : [entry.message.order])));
  const due = [...messages.filter((one) => isNews(state, current, one)), ...inMemory.filter(isSure).map(({ message }) => message)];
  return { due: due.filter(({ order }) => order < barrier).sort((a, b) => a.order - b.order), barrier };
}

function olderThanMemory(state: InboxState, current: Reading, messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const inMemory = [...state.entries.values()].filter((entry) => isUnpushed(entry, current));
  const end = Math.min(...inMemory.map(({ message }) => message.order));
  return messages.filter((one) => one.order < end && isNews(state, current, one));
}

function isNews({ entries, forgetting }: InboxState, { inFlight, backlog }: Reading, { id }: ChatMessage): boolean {
  return !inFlight.has(id) && !entries.has(id) && !forgetting.has(id) && !backlog.acknowledged.has(id);
}

function pushAll(current: Attachment, due: readonly ChatMessage[], emit: Emit): { socket: Attachment; count: number } {
  const inFlight = new Set(current.inFlight);
  let socket: Attachment = { ...current, inFlight };
  let count = 0;
  for (const message of due) {
    if (!hasRoom(socket)) {
      break;
    }
    if (message.order > socket.mark && !socket.queueEmptied) {
      socket = emptied(socket, emit);
    }
    emit({ kind: "push", to: socket, message });
    inFlight.add(message.id);
    socket = { ...socket, uncredited: socket.uncredited + message.body.length };
    count += 1;
  }
  return { socket, count };
}

function emptied(socket: Attachment, emit: Emit): Attachment {
  emit({ kind: "pushQueueEmpty", to: socket });
  return { ...socket, queueEmptied: true };
}

function markPushed(entries: ReadonlyMap<string, Entry>, pushed: readonly ChatMessage[]): ReadonlyMap<string, Entry> {
  const next = new Map(entries);
  for (const { id } of pushed) {
    const entry = next.get(id);
    if (entry !== undefined) {
      next.set(id, { ...entry, pushed: true });
    }
  }
  return next;
}

function withoutStored(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, Entry> {
  return new Map([...entries].filter(([, { phase }]) => phase.kind !== "stored"));
}

function isUnpushed({ message, phase }: Entry, { inFlight }: Attachment): boolean {
  const waits = phase.kind === "stored" || (phase.kind === "storing" && !phase.acknowledged);
  return waits && !inFlight.has(message.id);
}

function readingOn({ current }: InboxState, epoch: number): Reading | undefined {
  return current?.epoch === epoch && current.backlog.kind === "reading" ? (current as Reading) : undefined;
}
