import { randomBytes } from "node:crypto";
import type { TaskResult } from "../task.ts";
import { openChatSocket, openChatSockets } from "./chat-socket.ts";
import { Inbox } from "./inbox.ts";
import { Outbox } from "./outbox.ts";
import { people } from "./people.ts";
import { readReplyHead } from "./reply.ts";
import type { WindowEdges } from "./window.ts";

const SLOTS = 60;

/** Somebody comes back for whom messages wait: from the opening of the socket until all have come, been acknowledged, and the server says so. */
export async function drain({ ports, pending }: { ports: readonly number[]; pending: number }, edges: WindowEdges): Promise<TaskResult> {
  const [sender, recipient] = await people(ports[0] ?? 0, 2);
  if (sender === undefined || recipient === undefined) {
    throw new Error("there is nobody");
  }
  const [sending] = await openChatSockets(ports, [sender]);
  const outbox = new Outbox(recipient.accountId, `${randomBytes(4).toString("hex")}-0000-4000-8000`, SLOTS);
  let refused = 0;
  await new Promise<void>((resolve, reject) => {
    let answered = 0;
    sending?.into({
      binary: (payload) => {
        const { callId, code } = readReplyHead(payload);
        refused += code === 0 ? 0 : 1;
        answered += 1;
        if (outbox.sent < pending) {
          sending.send(outbox.next(callId - 1));
        } else if (answered === pending) {
          resolve();
        }
      },
      closed: (code) => reject(new Error(`a socket ended with ${code}`)),
    });
    for (let slot = 0; slot < Math.min(SLOTS, pending); slot += 1) {
      sending?.send(outbox.next(slot));
    }
  });
  sending?.into({});
  sending?.close();

  let inbox: Inbox | undefined;
  edges.began();
  const startedAt = performance.now();
  const socket = await openChatSocket(ports[0] ?? 0, recipient, (opened) => {
    inbox = new Inbox(opened, () => undefined);
    return inbox.sink;
  });
  const seconds = (performance.now() - startedAt) / 1000;
  edges.ended();
  socket.close();
  const { received = 0, strays = 0 } = inbox ?? {};
  const wrong = [
    ...(refused > 0 ? [`${refused} messages were refused`] : []),
    ...(received < pending ? [`${pending - received} messages did not arrive before the queue was empty`] : []),
    ...(strays > 0 ? [`${strays} messages came again or out of order`] : []),
  ];
  return { operations: pending, seconds, latency: undefined, accepted: pending - refused, wrong };
}
