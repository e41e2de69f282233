import { unaccountedOn } from "../../services/chat/delivery/inbox-state.ts";
import type { Holder } from "../../services/chat/store/schema.ts";
import { type ActorModel, DISPLACED } from "./actor-model.ts";
import type { ChatCopy, KnownOfSocket } from "./chat-copy.ts";
import { ATTACHMENT_UNKNOWN, GATEWAY_LEFT, TOO_LATE } from "./failures.ts";
import type { Call } from "./relay.ts";
import type { Task } from "./timeline.ts";

/** As services/chat/rpc/attach.ts. */
export function* attach(chat: ChatCopy, { gateway, accountId, deadline }: Call, connection: number, known: KnownOfSocket): Task<number> {
  const actor = chat.of(accountId);
  actor.hold();
  const turn = actor.attachments.enter();
  try {
    yield* turn.reached.wait();
    const epoch = yield* chat.presence.claimEpoch(accountId, deadline);
    if (!chat.isConnected(gateway)) {
      throw GATEWAY_LEFT;
    }
    const { inFlightMessageIds: inFlight, queueEmptied } = known;
    actor.handle({ kind: "attached", gateway, connection, epoch, inFlight, queueEmptied });
    try {
      yield* landGone(chat, actor, epoch);
      if (chat.world.timeline.now >= deadline || !chat.isConnected(gateway)) {
        throw TOO_LATE;
      }
    } catch (error) {
      actor.handle({ kind: "detached", incarnation: gateway.incarnation, connection, epoch });
      throw error;
    }
    return epoch;
  } finally {
    turn.leave();
    actor.letGo();
  }
}

/** A socket that was found open: its number at its gateway, its epoch, and its first one. */
export interface ActivatedSocket {
  readonly connection: number;
  readonly epoch: number;
  readonly rank: number;
}

/** As services/chat/rpc/activate.ts. Answers whether a newer socket has the events. */
export function* activate(chat: ChatCopy, { gateway, accountId, deadline }: Call, socket: ActivatedSocket): Task<boolean> {
  const actor = chat.of(accountId);
  actor.hold();
  const turn = actor.attachments.enter();
  try {
    yield* turn.reached.wait();
    const rank = chat.world.flaw === "ranks-by-the-last-epoch" ? socket.epoch : socket.rank;
    return !(yield* takeOver(chat, actor, { ...socket, rank, incarnation: gateway.incarnation, copy: chat.name }, deadline));
  } finally {
    turn.leave();
    actor.letGo();
  }
}

/** As services/chat/rpc/detach.ts. */
export function* detach(chat: ChatCopy, { gateway, accountId }: Call, connection: number, epoch: number): Task<void> {
  const actor = chat.of(accountId);
  actor.hold();
  const turn = actor.attachments.enter();
  try {
    yield* turn.reached.wait();
    const { current } = actor.state;
    actor.handle({ kind: "detached", incarnation: gateway.incarnation, connection, epoch });
    const wasCurrent = yield* chat.presence.giveUp(accountId, epoch);
    if (current?.epoch === epoch && !wasCurrent) {
      chat.world.timeline.spawn(chat.wakes.send(actor));
    }
  } finally {
    turn.leave();
    actor.letGo();
  }
}

/** As services/chat/delivery/landing.ts. */
export function* landGone({ store }: ChatCopy, actor: ActorModel, epoch: number): Task<void> {
  const inFlight = unaccountedOn(actor.state, epoch);
  if (inFlight.length === 0) {
    return;
  }
  const waiting = yield* store.findHeadings(actor.accountId, inFlight);
  const ids = inFlight.filter((id) => !waiting.some((one) => one.id === id));
  if (ids.length > 0) {
    actor.handle({ kind: "gone", epoch, ids });
  }
}

function* takeOver(chat: ChatCopy, actor: ActorModel, holder: Holder, deadline: number): Task<boolean> {
  const { epoch, connection, incarnation } = holder;
  if (actor.state.current?.epoch === epoch) {
    return true;
  }
  const candidate = actor.state.candidates.get(epoch);
  if (candidate?.connection !== connection || candidate.gateway.incarnation !== incarnation) {
    throw ATTACHMENT_UNKNOWN;
  }
  const taken = yield* chat.presence.takeOver(actor.accountId, holder, deadline);
  if (taken.kind === "outdated") {
    actor.handle({ kind: "outdated", epoch, heir: taken.heir });
    return false;
  }
  const { previous } = taken;
  if (!actor.state.candidates.has(epoch)) {
    yield* chat.presence.giveUp(actor.accountId, epoch, previous);
    throw GATEWAY_LEFT;
  }
  const isSame = previous?.incarnation === incarnation && previous.connection === connection;
  if (previous !== undefined && !isSame && actor.state.current?.epoch !== previous.epoch) {
    chat.gateway(previous.incarnation)?.push(previous.connection, previous.epoch, DISPLACED);
  }
  chat.custody.forgetCursor(actor.accountId);
  actor.handle({ kind: "activated", epoch, mark: chat.hybridClock.next() });
  chat.wakes.believe(actor, epoch);
  return true;
}
