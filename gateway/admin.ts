import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Running } from "../platform/lifecycle.ts";

/** Starts the operator's listener: /livez and /readyz. @throws Error when the address cannot be listened on. */
export async function startAdmin(host: string, port: number, findFailing: () => Promise<readonly string[]>): Promise<Running> {
  const server = createServer((request, response) => void answer(request, response, findFailing));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host.replace(/^\[|\]$/g, ""), resolve);
  });
  return {
    address: `http://${host}:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, findFailing: () => Promise<readonly string[]>): Promise<void> {
  const path = request.url?.split("?")[0];
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (path === "/livez" && isRead) {
    send(response, 200, { status: "live" });
  } else if (path === "/readyz" && isRead) {
    const failing = await findFailing();
    send(response, failing.length === 0 ? 200 : 503, failing.length === 0 ? { status: "ready" } : { status: "not ready", failing });
  } else {
    send(response, 404, { code: "unimplemented", message: "no such path" });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
