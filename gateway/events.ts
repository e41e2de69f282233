import type { Logger } from "../platform/logger.ts";
import type { ServiceName } from "../proto/method.ts";

/** What a gateway has to say of its work: a function for each fact, which writes its log line. */
export interface GatewayEvents {
  copyConnected(service: ServiceName, target: string): void;
  copyLost(service: ServiceName, target: string): void;
  socketOpened(connection: number, services: readonly ServiceName[]): void;
  exchangeCompleted(connection: number): void;
  socketClosed(connection: number, code: number): void;
  sessionRevoked(sessionId: string, sockets: number): void;
  drainStarted(sockets: number, windowMs: number): void;
  /** A fault of ours while a frame or a request was handled. */
  handlingFailed(where: "socket" | "http", error: unknown): void;
}

/** The events of a gateway, written to a logger. */
export function createEvents(logger: Logger): GatewayEvents {
  return {
    copyConnected: (service, target) => logger.info({ service, target }, "service copy connected"),
    copyLost: (service, target) => logger.warn({ service, target }, "service copy lost"),
    socketOpened: (connection, services) => logger.debug({ connection, services }, "socket opened"),
    exchangeCompleted: (connection) => logger.debug({ connection }, "exchange completed"),
    socketClosed: (connection, code) => logger.debug({ connection, code }, "socket closed"),
    sessionRevoked: (sessionId, sockets) => logger.info({ sessionId, sockets }, "session revoked"),
    drainStarted: (sockets, windowMs) => logger.info({ sockets, windowMs }, "drain started"),
    handlingFailed: (where, error) => logger.error({ where, err: error }, "handling failed"),
  };
}
