import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { loadUws } from "./uws.ts";

/** The public listener of a gateway. */
export interface Listener {
  readonly port: number;
  /** Takes no new connections from now on. */
  stopListening(): void;
  /** Cuts what is left. */
  close(): void;
}

type ListenExclusively = (host: string, port: number, options: number, listening: (socket: us_listen_socket | false) => void) => void;

// LIBUS_LISTEN_EXCLUSIVE_PORT: without it, two gateways may share a port unnoticed.
const EXCLUSIVE_PORT = 1;

/** Listens on a host and port (0: any that is free), with the routes that `addRoutes` adds. @throws Error when it is not free. */
export function listen(host: string, port: number, addRoutes: (app: TemplatedApp) => void): Listener {
  const uws = loadUws();
  const app = uws.App();
  addRoutes(app);
  let listening: us_listen_socket | false = false;
  // The type declarations leave this overload out.
  const listenExclusively = app.listen.bind(app) as unknown as ListenExclusively;
  listenExclusively(host.replace(/^\[|\]$/g, ""), port, EXCLUSIVE_PORT, (socket) => {
    listening = socket;
  });
  const socket = listening;
  if (socket === false) {
    app.close();
    throw new Error(`cannot listen on ${host}:${port}`);
  }
  return {
    port: uws.us_socket_local_port(socket),
    stopListening: () => uws.us_listen_socket_close(socket),
    close: () => app.close(),
  };
}
