import { ClientFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";
import type { LoadPerson } from "./people.ts";
import { clientFrame, type FrameSink, LoadSocket, Opcode } from "./web-socket.ts";

/** The frame that says nothing: it confirms the refresh token that the exchange gave. */
const KEEP_ALIVE = clientFrame(Opcode.BINARY, ClientFrame.encode({ kind: { $case: "keepAlive", value: {} } }).finish());
const REFRESH_TOKEN_BYTES = 1024;
const AT_ONCE = 16;

/**
 * Opens a socket for the chat service and makes the exchange; resolves when it is attached and everything that waited has been sent.
 * `events` takes the events from the first on.
 */
export async function openChatSocket(
  port: number,
  person: LoadPerson,
  events: (socket: LoadSocket) => FrameSink = () => ({}),
): Promise<LoadSocket> {
  const socket = await LoadSocket.open(port, "/connect/chat");
  const sink = events(socket);
  await new Promise<void>((resolve, reject) => {
    socket.into({
      ...sink,
      binary: (payload) => {
        if (payload.length === REFRESH_TOKEN_BYTES) {
          person.refreshToken = Buffer.from(payload);
        } else {
          socket.send(KEEP_ALIVE);
        }
      },
      text: (payload) => {
        sink.text?.(payload);
        if (payload.length < 32 && payload.includes("queueEmpty")) {
          socket.into(sink);
          resolve();
        }
      },
      closed: (code) => reject(new Error(`the exchange ended with ${code}`)),
    });
    socket.send(clientFrame(Opcode.BINARY, person.refreshToken));
  });
  return socket;
}

/** The same for many people, some at a time, spread over the gateways. */
export async function openChatSockets(
  ports: readonly number[],
  everybody: readonly LoadPerson[],
  events: (socket: LoadSocket, index: number) => FrameSink = () => ({}),
): Promise<readonly LoadSocket[]> {
  const sockets: LoadSocket[] = [];
  const waiting = [...everybody.entries()];
  const lane = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [index, person] = next;
      sockets[index] = await openChatSocket(ports[index % ports.length] ?? 0, person, (socket) => events(socket, index));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return sockets;
}
