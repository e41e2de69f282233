import type { TaskResult } from "../task.ts";
import { openChatSocket } from "./chat-socket.ts";
import { people } from "./people.ts";
import { MeasuredWindow, type WindowEdges, type WindowTimes } from "./window.ts";

/** Sockets that are opened, exchanged, confirmed, attached and closed, over and over, each person behind their own last one. */
export async function exchange(
  { ports, atOnce, times }: { ports: readonly number[]; atOnce: number; times: WindowTimes },
  edges: WindowEdges,
): Promise<TaskResult> {
  const everybody = await people(ports[0] ?? 0, atOnce);
  const window = new MeasuredWindow(times, edges);
  const lane = async (index: number): Promise<void> => {
    const person = everybody[index];
    while (person !== undefined && !window.isOver) {
      const startedAt = performance.now();
      const socket = await openChatSocket(ports[index % ports.length] ?? 0, person);
      window.count(performance.now() - startedAt);
      const closed = new Promise<void>((resolve) => socket.into({ closed: () => resolve() }));
      socket.close();
      await closed;
    }
  };
  await Promise.all(everybody.map((_, index) => lane(index)));
  return { operations: window.operations, seconds: window.seconds, latency: window.latency, wrong: [] };
}
