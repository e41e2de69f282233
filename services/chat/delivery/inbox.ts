import { acknowledge, forgotten, notForgotten, retry } from "./acknowledgement.ts";
import { abandon, activate, attach, credit, detach, dropGone, leaveGateway, outdate } from "./attachment.ts";
import type { Effect, Emit, InboxState, Input } from "./inbox-state.ts";
import { failPage, turnPage, wake } from "./page.ts";
import { fail, finishLinger, finishRecord, finishStore, offer, refute } from "./passage.ts";

/**
 * The delivery of one account's inbox on this copy: what happened to it, what is to be done.
 * Pure. Effects are in the order in which they are to begin.
 */
export function stepInbox(state: InboxState, input: Input): [InboxState, readonly Effect[]] {
  const effects: Effect[] = [];
  const next = react(state, input, (effect) => effects.push(effect));
  return [next, effects];
}

function react(state: InboxState, input: Input, emit: Emit): InboxState {
  switch (input.kind) {
    case "offered":
      return offer(state, input.message, emit);
    case "lingered":
      return finishLinger(state, input.id, emit);
    case "stored":
      return finishStore(state, input.id, input.accepted, emit);
    case "recorded":
      return finishRecord(state, input.id, input.accepted, emit);
    case "failed":
      return fail(state, input.id, input.error, emit);
    case "refuted":
      return refute(state, input.id, input.error, emit);
    case "acknowledged":
      return acknowledge(state, input.ids, emit);
    case "forgotten":
      return forgotten(state, input, emit);
    case "notForgotten":
      return notForgotten(state, input.ids, input.error, emit);
    case "retried":
      return retry(state, input.ids, emit);
    case "attached":
      return attach(state, input);
    case "activated":
      return activate(state, input.epoch, input.mark, emit);
    case "outdated":
      return outdate(state, input.epoch, input.heir, emit);
    case "gone":
      return dropGone(state, input.epoch, input.ids, emit);
    case "detached":
      return detach(state, input, emit);
    case "gatewayLeft":
      return leaveGateway(state, input.gateway, emit);
    case "abandoned":
      return abandon(state, emit);
    case "credited":
      return credit(state, input, emit);
    case "pageRead":
      return turnPage(state, input, emit);
    case "pageFailed":
      return failPage(state, input.epoch, emit);
    case "woken":
      return wake(state, emit);
  }
}
