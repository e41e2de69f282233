import { once } from "node:events";
import { readFile, rename, writeFile } from "node:fs/promises";
import { createConnection, createServer } from "node:net";

const HOST = "127.0.0.1";

/** A port to run on, and whether it is the one of the last time. */
export interface PortChoice {
  readonly port: number;
  readonly isRecorded: boolean;
}

/** The port to run on: the one recorded in a file when it is free, so that a replica set keeps its member's address; any free one otherwise. */
export async function choosePort(file: string): Promise<PortChoice> {
  const recorded = parsePort(await readFile(file, "utf8").catch(() => ""));
  if (recorded !== undefined && (await freePort(recorded)) === recorded) {
    return { port: recorded, isRecorded: true };
  }
  return { port: await freePort(0), isRecorded: false };
}

/** Records the port for the next start. */
export async function recordPort(file: string, port: number): Promise<void> {
  await writeFile(`${file}.new`, `${port}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** A port number as it is recorded. Undefined when the text is none. */
export function parsePort(text: string): number | undefined {
  const port = Number(text.trim());
  return /^\d{1,5}$/.test(text.trim()) && port > 0 && port < 65_536 ? port : undefined;
}

/** Whether something accepts connections on a port of this machine. */
export async function isListening(port: number): Promise<boolean> {
  const socket = createConnection(port, HOST);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The port itself when it is free (0: one that is); 0 when it is taken. */
async function freePort(port: number): Promise<number> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, "listening");
    const address = server.address();
    return address !== null && typeof address === "object" ? address.port : 0;
  } catch {
    return 0;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
