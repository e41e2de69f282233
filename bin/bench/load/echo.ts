import type { TaskResult } from "../task.ts";
import { keepBusy } from "./slots.ts";
import { clientFrame, LoadSocket, Opcode } from "./web-socket.ts";
import { MeasuredWindow, type WindowEdges, type WindowTimes } from "./window.ts";

/** As long as a call's frame. */
const BYTES = 192;

/** Frames that come back as they were sent. */
export async function echo(
  { port, sockets: count, depth, times }: { port: number; sockets: number; depth: number; times: WindowTimes },
  edges: WindowEdges,
): Promise<TaskResult> {
  const sockets = await Promise.all(Array.from({ length: count }, () => LoadSocket.open(port, "/")));
  const window = new MeasuredWindow(times, edges);
  const frames = Array.from({ length: depth }, (_, slot) => {
    const payload = Buffer.alloc(BYTES);
    payload.writeUInt32LE(slot, 0);
    return clientFrame(Opcode.BINARY, payload);
  });
  const traffic = { frame: (slot: number) => frames[slot] as Buffer, slotOf: (payload: Buffer) => payload.readUInt32LE(0) };
  await Promise.all(sockets.map((socket) => keepBusy(socket, depth, traffic, window)));
  for (const socket of sockets) {
    socket.destroy();
  }
  return { operations: window.operations, seconds: window.seconds, latency: window.latency, wrong: [] };
}
