import type { TemplatedApp, us_listen_socket } from "uWebSockets.js";
import { hostPort } from "../platform/addresses.ts";
import { loadUws } from "./uws.ts";

/** The public listener of a gateway. */
export interface Listener {
  readonly port: number;
  /** Takes no new connections from now on. */
  stopListening(): void;
  /** Cuts what is left. */
  close(): void;
}

/** Where somebody listens, and the variable that says so. */
export interface Place {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly variable: "GATEWAY_PORT" | "GATEWAY_ADMIN_PORT";
}

/** Adds what an app serves. */
export type AddRoutes = (app: TemplatedApp) => void;

type ListenWithOptions = (host: string, port: number, options: number, listening: (socket: us_listen_socket | false) => void) => void;

/** LIBUS_LISTEN_EXCLUSIVE_PORT: without it, two gateways may share a port unnoticed. */
const EXCLUSIVE_PORT = 1;
/** LIBUS_LISTEN_DEFAULT: others that listen so may share the port. */
export const SHARED_PORT = 0;

/** Listens at a place, with the routes that `addRoutes` adds. @throws Error when it is not free. */
export function listen(place: Place, addRoutes: AddRoutes): Listener {
  const uws = loadUws();
  const app = uws.App();
  addRoutes(app);
  const socket = openListenSocket(app, place, EXCLUSIVE_PORT);
  return {
    port: uws.us_socket_local_port(socket),
    stopListening: () => uws.us_listen_socket_close(socket),
    close: () => app.close(),
  };
}

/** Has an app listen. Closes the app and throws an Error when the port is not free. */
export function openListenSocket(app: TemplatedApp, { host, port, variable }: Place, options: number): us_listen_socket {
  let listening: us_listen_socket | false = false;
  // The type declarations leave this overload out.
  const listenWithOptions = app.listen.bind(app) as unknown as ListenWithOptions;
  listenWithOptions(host, port, options, (socket) => {
    listening = socket;
  });
  const socket = listening;
  if (socket === false) {
    app.close();
    throw new Error(`${variable}: cannot listen on ${hostPort(host, port)}`);
  }
  return socket;
}
