import type { SallyportError } from "../../../platform/errors.ts";
import type { GatewayPeer } from "../../../platform/rpc/call.ts";
import type { Accepted, ChatMessage } from "./message.ts";

/** A socket by the run of its gateway and its number there. */
export interface SocketName {
  readonly incarnation: string;
  readonly connection: number;
}

/** A socket that takes the account's events, or is about to. */
export interface Attachment {
  readonly gateway: GatewayPeer;
  readonly connection: number;
  readonly epoch: number;
  /** Pushed on this socket, its acknowledgement not yet durable. */
  readonly inFlight: ReadonlySet<string>;
  /** Bytes of bodies that have not left the gateway, as far as is known. */
  readonly uncredited: number;
  /** It has had its queueEmpty. */
  readonly queueEmptied: boolean;
  /** What is older was pending at connect. */
  readonly mark: number;
  readonly backlog: Backlog;
}

/** Whether the database holds messages that the socket has not: perhaps; being asked; no. */
export type Backlog =
  | { readonly kind: "behind" }
  /** `acknowledged`: since the question; `woken`: the answer may be old by the time it comes; `isAgain`: one was too old already. */
  | { readonly kind: "reading"; readonly acknowledged: ReadonlySet<string>; readonly woken: boolean; readonly isAgain: boolean }
  | { readonly kind: "drained" };

/** Where a message is that this process knows. */
export type Phase =
  /** Pushed; may be acknowledged before it has to be stored. */
  | { readonly kind: "lingering" }
  | { readonly kind: "storing"; readonly acknowledged: boolean }
  /** Stored, not pushed; kept only until the page that is being read is there. */
  | { readonly kind: "stored" }
  /** Acknowledged; being written down as delivered. */
  | { readonly kind: "recording" }
  /** Pushed, but writing it down failed: its sender was told so and may send it again. */
  | { readonly kind: "adrift"; readonly acknowledged: boolean };

/** A message that is not settled. */
export interface Entry {
  readonly message: ChatMessage;
  readonly phase: Phase;
  /** Some socket has had it: its sender is not refused any more. */
  readonly pushed: boolean;
}

/** One account's inbox, as far as this process has to know it. */
export interface InboxState {
  readonly current: Attachment | undefined;
  /** Attached, not activated; by epoch. */
  readonly candidates: ReadonlyMap<number, Attachment>;
  readonly entries: ReadonlyMap<string, Entry>;
  /** Acknowledged, without an entry; being forgotten. */
  readonly forgetting: ReadonlySet<string>;
  /** Acknowledged while nothing of them was written down: pushed by a copy that is gone, and their senders still to repeat them. The latest. */
  readonly early: ReadonlySet<string>;
}

/** What happens to an inbox. */
export type Input =
  | { readonly kind: "offered"; readonly message: ChatMessage }
  | { readonly kind: "lingered"; readonly id: string }
  | { readonly kind: "stored"; readonly id: string; readonly accepted: Accepted }
  | { readonly kind: "recorded"; readonly id: string; readonly accepted: Accepted }
  /** The database could not be asked; `what` may have happened all the same. */
  | { readonly kind: "failed"; readonly id: string; readonly error: SallyportError }
  /** Another message has that id. */
  | { readonly kind: "refuted"; readonly id: string; readonly error: SallyportError }
  | { readonly kind: "acknowledged"; readonly ids: readonly string[] }
  /** `unknown`: those of them of which nothing was written down. */
  | { readonly kind: "forgotten"; readonly ids: readonly string[]; readonly unknown: readonly string[] }
  | { readonly kind: "notForgotten"; readonly ids: readonly string[]; readonly error: SallyportError }
  | { readonly kind: "retried"; readonly ids: readonly string[] }
  | {
      readonly kind: "attached";
      readonly gateway: GatewayPeer;
      readonly connection: number;
      readonly epoch: number;
      readonly inFlight: readonly string[];
      readonly queueEmptied: boolean;
    }
  /** `mark`: an order later than all that is pending. */
  | { readonly kind: "activated"; readonly epoch: number; readonly mark: number }
  /** Of what is in flight on a socket these wait no longer: acknowledged where this process did not see it. */
  | { readonly kind: "gone"; readonly epoch: number; readonly ids: readonly string[] }
  /** A newer socket has the events, here or elsewhere: the heir. */
  | { readonly kind: "outdated"; readonly epoch: number; readonly heir: SocketName }
  | { readonly kind: "detached"; readonly incarnation: string; readonly connection: number; readonly epoch: number }
  | { readonly kind: "gatewayLeft"; readonly gateway: GatewayPeer }
  /** The account was deleted: nobody has its events any more. */
  | { readonly kind: "abandoned" }
  | { readonly kind: "credited"; readonly connection: number; readonly epoch: number; readonly bytes: number }
  | { readonly kind: "pageRead"; readonly epoch: number; readonly messages: readonly ChatMessage[]; readonly exhausted: boolean }
  | { readonly kind: "pageFailed"; readonly epoch: number }
  | { readonly kind: "woken" };

/** What is to be done about it. */
export type Effect =
  | { readonly kind: "push"; readonly to: Attachment; readonly message: ChatMessage }
  | { readonly kind: "pushQueueEmpty"; readonly to: Attachment }
  | { readonly kind: "pushDisplaced"; readonly to: Attachment }
  /** Comes back as `lingered`. */
  | { readonly kind: "linger"; readonly id: string }
  /** Comes back as `stored`, `failed` or `refuted`. */
  | { readonly kind: "store"; readonly message: ChatMessage }
  /** Comes back as `recorded`, `failed` or `refuted`. */
  | { readonly kind: "record"; readonly message: ChatMessage }
  /** Comes back as `forgotten` or `notForgotten`. */
  | { readonly kind: "forget"; readonly ids: readonly string[] }
  /** Comes back as `pageRead` or `pageFailed`. */
  | {
      readonly kind: "read";
      readonly epoch: number;
      readonly exclude: readonly string[];
      readonly maxMessages: number;
      readonly maxBytes: number;
    }
  /** Comes back as `retried`, a while later. */
  | { readonly kind: "retryLater"; readonly ids: readonly string[] }
  /** Comes back as `woken`, a while later. */
  | { readonly kind: "wakeLater" }
  | { readonly kind: "answer"; readonly id: string; readonly accepted: Accepted }
  | { readonly kind: "refuse"; readonly id: string; readonly error: SallyportError; readonly pushed: boolean }
  /** The acknowledgement of these is durable; or it is not. */
  | { readonly kind: "confirm"; readonly ids: readonly string[] }
  | { readonly kind: "disappoint"; readonly ids: readonly string[]; readonly error: SallyportError };

/** Notes down what is to be done. */
export type Emit = (effect: Effect) => void;

/** An inbox that nobody is attached to and nothing is known of. */
export const EMPTY_INBOX: InboxState = {
  current: undefined,
  candidates: new Map(),
  entries: new Map(),
  forgetting: new Set(),
  early: new Set(),
};

/** Whether nothing would be lost by forgetting the state. What was acknowledged early may come again then, to the next socket. */
export function isIdle({ current, candidates, entries, forgetting }: InboxState): boolean {
  return current === undefined && candidates.size === 0 && entries.size === 0 && forgetting.size === 0;
}

/** Whether a message is known here: on the socket, or under way. */
export function isKnown({ current, entries, forgetting }: InboxState, id: string): boolean {
  return entries.has(id) || forgetting.has(id) || current?.inFlight.has(id) === true;
}

/** Whether a message was accepted here already, or a socket has had it: it is not refused any more. */
export function isTaken({ current, candidates, entries, forgetting, early }: InboxState, id: string): boolean {
  const sockets = [...candidates.values(), ...(current ? [current] : [])];
  return entries.has(id) || forgetting.has(id) || early.has(id) || sockets.some(({ inFlight }) => inFlight.has(id));
}

/** What is in flight on a socket without being under way here: only the database can say whether it still waits. */
export function unaccountedOn({ current, candidates, entries }: InboxState, epoch: number): readonly string[] {
  const socket = current?.epoch === epoch ? current : candidates.get(epoch);
  return [...(socket?.inFlight ?? [])].filter((id) => !entries.has(id));
}

/** Whether no accepted message is on its way into the database. */
export function isSettled({ entries }: InboxState): boolean {
  return [...entries.values()].every(({ phase }) => phase.kind === "adrift" || phase.kind === "stored");
}
