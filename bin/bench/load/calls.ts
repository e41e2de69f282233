import { ClientFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";
import type { TaskResult } from "../task.ts";
import { openChatSockets } from "./chat-socket.ts";
import { people } from "./people.ts";
import { readReplyHead } from "./reply.ts";
import { keepBusy } from "./slots.ts";
import { clientFrame, Opcode } from "./web-socket.ts";
import { MeasuredWindow, type WindowEdges, type WindowTimes } from "./window.ts";

const METHOD = "/sallyport.chat.v1.ChatService/AckMessages";
/** An AckMessagesRequest that names no message, with 128 bytes in a field that no version knows: it is passed on, read and skipped. */
const REQUEST = Buffer.concat([Buffer.from([0xfa, 0x7f, 0x80, 0x01]), Buffer.alloc(128, 0x62)]);

/** Calls that go all the way to the service and back, with the caller's identity and a deadline, and ask nothing of the database. */
export async function calls(
  { ports, sockets: count, depth, times }: { ports: readonly number[]; sockets: number; depth: number; times: WindowTimes },
  edges: WindowEdges,
): Promise<TaskResult> {
  const sockets = await openChatSockets(ports, await people(ports[0] ?? 0, count));
  const window = new MeasuredWindow(times, edges);
  const frames = Array.from({ length: depth }, (_, slot) => callFrame(slot + 1));
  let refused = 0;
  const traffic = {
    frame: (slot: number) => frames[slot] as Buffer,
    slotOf: (payload: Buffer) => {
      const { callId, code } = readReplyHead(payload);
      refused += code === 0 ? 0 : 1;
      return callId - 1;
    },
  };
  await Promise.all(sockets.map((socket) => keepBusy(socket, depth, traffic, window)));
  for (const socket of sockets) {
    socket.into({});
    socket.close();
  }
  const wrong = refused > 0 ? [`${refused} calls were refused`] : [];
  return { operations: window.operations, seconds: window.seconds, latency: window.latency, wrong };
}

function callFrame(id: number): Buffer {
  const call = { id, method: METHOD, request: REQUEST, timeoutMs: 10_000 };
  return clientFrame(Opcode.BINARY, ClientFrame.encode({ kind: { $case: "call", value: call } }).finish());
}
