import type { TaskResult } from "../task.ts";
import { openChatSockets } from "./chat-socket.ts";
import { people } from "./people.ts";
import { LoadSocket } from "./web-socket.ts";

/** The first of them are those who write to each other meanwhile. */
const WRITERS = 1_000;

let held: readonly LoadSocket[] = [];

/** Opens sockets and keeps them, until they are released. */
export async function hold({
  ports,
  path,
  sockets: count,
  isExchanged,
}: {
  ports: readonly number[];
  path: string;
  sockets: number;
  isExchanged: boolean;
}): Promise<TaskResult> {
  held = isExchanged
    ? await openChatSockets(ports, (await people(ports[0] ?? 0, WRITERS + count)).slice(WRITERS))
    : await Promise.all(Array.from({ length: count }, (_, index) => LoadSocket.open(ports[index % ports.length] ?? 0, path)));
  return { operations: held.length, seconds: 0, latency: undefined, wrong: [] };
}

/** Ends the sockets that are kept. */
export async function release(): Promise<TaskResult> {
  const count = held.length;
  for (const socket of held) {
    socket.into({});
    socket.close();
  }
  held = [];
  return { operations: count, seconds: 0, latency: undefined, wrong: [] };
}
