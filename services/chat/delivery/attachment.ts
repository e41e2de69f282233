import { unavailable } from "../../../platform/errors.ts";
import type { GatewayPeer } from "../../../platform/rpc/call.ts";
import { withCurrent, without } from "./change.ts";
import type { Attachment, Emit, Entry, InboxState, Input, SocketName } from "./inbox-state.ts";
import { readOn } from "./page.ts";
import { isSameSocket } from "./presence-rules.ts";

type Attached = Extract<Input, { kind: "attached" }>;
type Socket = Pick<Attachment, "gateway" | "connection">;

/** A socket wants the events. Nothing changes for anyone before it is activated. */
export function attach(state: InboxState, { gateway, connection, epoch, inFlight, queueEmptied }: Attached): InboxState {
  const candidates = new Map(
    [...state.candidates].filter(([, candidate]) => !isSameSocket(nameOf(candidate), nameOf({ gateway, connection }))),
  );
  const backlog = { kind: "behind" } as const;
  candidates.set(epoch, { gateway, connection, epoch, inFlight: new Set(inFlight), uncredited: 0, queueEmptied, mark: 0, backlog });
  return { ...state, candidates };
}

/** The socket is still open: it has the events from here on, whoever had them is told. */
export function activate(state: InboxState, epoch: number, mark: number, emit: Emit): InboxState {
  const candidate = state.candidates.get(epoch);
  if (candidate === undefined) {
    return state;
  }
  if (state.current !== undefined && !isSameSocket(nameOf(state.current), nameOf(candidate))) {
    emit({ kind: "pushDisplaced", to: state.current });
  }
  return readOn(withCurrent(withoutCandidate(leave(state, emit), epoch), { ...candidate, mark }), emit);
}

/** A newer socket has the events: the older one is told, unless it is the same, attached again. */
export function outdate(state: InboxState, epoch: number, heir: SocketName, emit: Emit): InboxState {
  const outdated = state.current?.epoch === epoch ? state.current : state.candidates.get(epoch);
  if (outdated === undefined) {
    return state;
  }
  if (!isSameSocket(nameOf(outdated), heir)) {
    emit({ kind: "pushDisplaced", to: outdated });
  }
  return outdated === state.current ? leave(state, emit) : withoutCandidate(state, epoch);
}

/** Room for others in place of what waits no longer. What came under way since stays: it is in flight until it is settled. */
export function dropGone(state: InboxState, epoch: number, ids: readonly string[], emit: Emit): InboxState {
  const gone = ids.filter((id) => !state.entries.has(id));
  const { current } = state;
  if (current?.epoch === epoch) {
    return readOn(withCurrent(state, { ...current, inFlight: without(current.inFlight, gone) }), emit);
  }
  const candidate = state.candidates.get(epoch);
  if (candidate === undefined) {
    return state;
  }
  const candidates = new Map(state.candidates).set(epoch, { ...candidate, inFlight: without(candidate.inFlight, gone) });
  return { ...state, candidates };
}

/** The socket has closed. */
export function detach(state: InboxState, socket: Extract<Input, { kind: "detached" }>, emit: Emit): InboxState {
  const isIt = ({ gateway, connection, epoch }: Attachment): boolean =>
    epoch === socket.epoch && connection === socket.connection && gateway.incarnation === socket.incarnation;
  return leaveAll(state, isIt, emit);
}

/** The stream that pushes travel on has ended, for all its sockets. */
export function leaveGateway(state: InboxState, gateway: GatewayPeer, emit: Emit): InboxState {
  return leaveAll(state, (attachment) => attachment.gateway === gateway, emit);
}

/** The account was deleted: what lingers is stored, so that it has its end in the ledger like all that waits. */
export function abandon(state: InboxState, emit: Emit): InboxState {
  return leaveAll(state, () => true, emit);
}

/** Bytes have left the gateway: room for as many. */
export function credit(state: InboxState, { connection, epoch, bytes }: Extract<Input, { kind: "credited" }>, emit: Emit): InboxState {
  const { current } = state;
  if (current?.epoch !== epoch || current.connection !== connection) {
    return state;
  }
  return readOn(withCurrent(state, { ...current, uncredited: Math.max(0, current.uncredited - bytes) }), emit);
}

function leaveAll(state: InboxState, isGone: (attachment: Attachment) => boolean, emit: Emit): InboxState {
  const candidates = new Map([...state.candidates].filter(([, candidate]) => !isGone(candidate)));
  const rest = { ...state, candidates };
  return state.current !== undefined && isGone(state.current) ? leave(rest, emit) : rest;
}

/** Without the current socket: what lingered on it is stored at once, what only it could still bring is given up. */
function leave(state: InboxState, emit: Emit): InboxState {
  if (state.current === undefined) {
    return state;
  }
  const entries = new Map<string, Entry>();
  for (const [id, entry] of state.entries) {
    switch (entry.phase.kind) {
      case "lingering":
        emit({ kind: "store", message: entry.message });
        entries.set(id, { ...entry, phase: { kind: "storing", acknowledged: false } });
        break;
      case "storing":
      case "recording":
        entries.set(id, entry);
        break;
      case "adrift":
        if (entry.phase.acknowledged) {
          emit({ kind: "disappoint", ids: [id], error: unavailable("the acknowledgement is not durable", "NOT_ACKNOWLEDGED") });
        }
        break;
      case "stored":
        break;
    }
  }
  return { ...state, current: undefined, entries };
}

function withoutCandidate(state: InboxState, epoch: number): InboxState {
  const candidates = new Map(state.candidates);
  candidates.delete(epoch);
  return { ...state, candidates };
}

function nameOf({ gateway, connection }: Socket): SocketName {
  return { incarnation: gateway.incarnation, connection };
}
