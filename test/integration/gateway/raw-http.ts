import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Opens a connection to a gateway that knows no HTTP, with TLS when there is an authority to trust. */
export async function connectRaw(address: string, ca?: string): Promise<Socket> {
  const port = Number(new URL(address).port);
  const socket = ca === undefined ? connectTcp(port, "127.0.0.1") : connectTls({ port, host: "127.0.0.1", ca });
  await once(socket, ca === undefined ? "connect" : "secureConnect");
  return socket;
}

/** Sends bytes as they are; resolves to all that comes back, once the gateway closes. */
export async function exchangeRaw(socket: Socket, bytes: Uint8Array | string): Promise<string> {
  let received = "";
  // A reset is an end too.
  socket.on("error", () => undefined);
  socket.setEncoding("latin1").on("data", (text: string) => {
    received += text;
  });
  const end = once(socket, "close");
  socket.write(bytes);
  await end;
  return received;
}
