import { randomBytes } from "node:crypto";
import type { ChatTask, TaskResult } from "../task.ts";
import { openChatSockets } from "./chat-socket.ts";
import { Inbox } from "./inbox.ts";
import { offer } from "./offering.ts";
import { Outbox } from "./outbox.ts";
import { type LoadPerson, people } from "./people.ts";
import { readReplyHead } from "./reply.ts";
import { keepBusy } from "./slots.ts";
import type { LoadSocket } from "./web-socket.ts";
import { MeasuredWindow, type WindowEdges, type WindowTimes } from "./window.ts";

/** So long after the last answer a message may take to arrive. */
const ARRIVAL_MS = 30_000;
/** More than a socket may have in flight would be refused. */
const MOST_IN_FLIGHT = 60;

/** Messages from one of a pair to the other: sent, receipted, delivered, acknowledged, forgotten. Each must arrive once, in order. */
export async function chat(task: ChatTask & { readonly times: WindowTimes }, edges: WindowEdges): Promise<TaskResult> {
  const { ports, pairs, depth, isOnline, offeredRate, times } = task;
  const everybody = await people(ports[0] ?? 0, pairs * 2);
  const [senders, recipients] = [everybody.slice(0, pairs), everybody.slice(pairs)];
  const sending = await openChatSockets(ports, senders);
  const arrivals = new Arrivals();
  if (isOnline) {
    await arrivals.open(ports, recipients);
  }

  const slots = offeredRate === undefined ? depth : MOST_IN_FLIGHT;
  const run = randomBytes(4).toString("hex");
  const outboxes = recipients.map(
    ({ accountId }, pair) => new Outbox(accountId, `${run}-${pair.toString(16).padStart(4, "0")}-4000-8000`, slots),
  );
  let refused = 0;
  const traffics = outboxes.map((outbox) => ({
    frame: (slot: number) => outbox.next(slot),
    slotOf: (payload: Buffer) => {
      const { callId, code } = readReplyHead(payload);
      refused += code === 0 ? 0 : 1;
      return callId - 1;
    },
  }));
  const window = new MeasuredWindow(times, edges);
  await (offeredRate === undefined
    ? Promise.all(sending.map((socket, pair) => keepBusy(socket, slots, traffics[pair] as (typeof traffics)[0], window)))
    : offer(sending, traffics, { slots, perSecond: offeredRate }, window));

  if (!isOnline) {
    await arrivals.open(ports, recipients);
  }
  const sent = outboxes.map((outbox) => outbox.sent);
  await arrivals.all(sent);
  sending.forEach(closeQuietly);
  const wrong = [...(refused > 0 ? [`${refused} messages were refused`] : []), ...arrivals.wrong(sent)];
  arrivals.close();
  const accepted = sent.reduce((sum, count) => sum + count, 0) - refused;
  return { operations: window.operations, seconds: window.seconds, latency: window.latency, accepted, wrong };
}

/** What arrives at the recipients. */
class Arrivals {
  #sockets: readonly LoadSocket[] = [];
  #inboxes: readonly Inbox[] = [];
  #changed: () => void = () => undefined;

  /** Brings the recipients online. What waits for them comes at once, while the exchange is made. */
  async open(ports: readonly number[], recipients: readonly LoadPerson[]): Promise<void> {
    const inboxes: Inbox[] = [];
    this.#sockets = await openChatSockets(ports, recipients, (socket, index) => {
      inboxes[index] = new Inbox(socket, () => this.#changed());
      return inboxes[index].sink;
    });
    this.#inboxes = inboxes;
  }

  /** Resolves when everybody has had so many messages, or nothing more comes. */
  async all(sent: readonly number[]): Promise<void> {
    const isDone = (): boolean => this.#inboxes.every(({ received, strays }, index) => received + strays >= (sent[index] ?? 0));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ARRIVAL_MS);
      this.#changed = () => {
        if (isDone()) {
          clearTimeout(timer);
          resolve();
        }
      };
      this.#changed();
    });
  }

  /** What is missing, or came again or out of order. */
  wrong(sent: readonly number[]): readonly string[] {
    const missing = this.#inboxes.reduce(
      (sum, { received, strays }, index) => sum + Math.max(0, (sent[index] ?? 0) - received - strays),
      0,
    );
    const strays = this.#inboxes.reduce((sum, inbox) => sum + inbox.strays, 0);
    return [
      ...(missing > 0 ? [`${missing} messages did not arrive`] : []),
      ...(strays > 0 ? [`${strays} messages came again or out of order`] : []),
    ];
  }

  close(): void {
    this.#sockets.forEach(closeQuietly);
  }
}

function closeQuietly(socket: LoadSocket): void {
  socket.into({});
  socket.close();
}
