import { createCallMetrics } from "../platform/call-metrics.ts";
import type { StatusName } from "../platform/errors.ts";
import type { Logger } from "../platform/logger.ts";
import { Metrics } from "../platform/metrics.ts";
import { methods } from "../proto/gen/policy/services.ts";
import type { ServiceName } from "../proto/method.ts";
import type { Limited } from "./limits/limits.ts";

/** What a gateway has to say of its work: a function for each fact, which writes its log line and counts it. */
export interface GatewayEvents {
  copyConnected(service: ServiceName, target: string): void;
  copyLost(service: ServiceName, target: string): void;
  /** A copy stops, or is no longer among those of its service. */
  copyLeaving(service: ServiceName, target: string): void;
  /** Nothing came on the stream to a copy any more: it was given up. */
  copySilent(service: ServiceName, target: string): void;
  /** The name that stands for the copies of a service cannot be resolved; those that are known stay. */
  copiesUnresolved(service: ServiceName, name: string, error: unknown): void;
  /** No stream to a copy comes about. */
  copyUnreachable(service: ServiceName, target: string, error: unknown): void;
  socketOpened(connection: number, services: readonly ServiceName[]): void;
  exchangeCompleted(connection: number): void;
  /** A socket ended before its exchange was complete. */
  exchangeBroken(connection: number, code: number): void;
  socketClosed(connection: number, code: number): void;
  sessionRevoked(sessionId: string, sockets: number): void;
  drainStarted(sockets: number, windowMs: number): void;
  /** A call of a client has its answer; it began at a moment of `performance.now()`. Counted only. */
  callAnswered(via: "socket" | "http", path: string, status: StatusName, startedAt: number): void;
  /** An event has gone to a socket. Counted only. */
  eventPushed(): void;
  /** A client acknowledged messages in a frame. Counted only. */
  acknowledged(messages: number): void;
  /** Something was refused because there was too much of it. */
  rateLimited(what: Limited): void;
  /** An operator showed the token; what comes of the call is not known yet. */
  operatorCalled(path: string, address: string): void;
  operatorRefused(address: string): void;
  operatorTokenUnreadable(error: unknown): void;
  /** Operators may call from other machines, and nothing of ours enciphers what they send. */
  operatorListenerExposed(host: string): void;
  /** A proxy speaks TLS for the gateway, and no proxy is trusted to name clients: all of them share its address. */
  clientsUnnamed(): void;
  /** New connections to the public port meet a certificate that is valid until then. */
  certificateTaken(validTo: Date): void;
  /** The certificate's files have changed to something that cannot be taken. */
  certificateRefused(problems: readonly string[]): void;
  /** A fault of ours while a frame or a request was handled. */
  handlingFailed(where: "socket" | "http", error: unknown): void;
}

const CLOSE_CODES = [1000, 1001, 1002, 1005, 1006, 1009, 4001, 4008, 4400, 4401, 4408, 4409, 4429, 4503].map(String);

/** What an exchange came to that was not completed, by the code of the socket's end; any other: the client left. */
const BROKEN: ReadonlyMap<number, string> = new Map([
  [1009, "malformed"],
  [4001, "drained"],
  [4400, "malformed"],
  [4401, "refused"],
  [4408, "late"],
  [4429, "limited"],
  [4503, "unavailable"],
]);
const OUTCOMES = ["completed", "left", ...new Set(BROKEN.values())];

const SERVICES: readonly ServiceName[] = ["account", "chat"];

const LIMITERS: Readonly<Record<Limited, true>> = {
  login: true,
  socket: true,
  exchange: true,
  bytes: true,
  message: true,
  call: true,
  report: true,
  frame: true,
};

/** The events of a gateway, written to a logger and counted. */
export function createEvents(logger: Logger, metrics: Metrics = new Metrics()): GatewayEvents {
  const opened = metrics.counter("sallyport_sockets_opened_total", "Sockets that were opened.");
  const closed = metrics.counter("sallyport_sockets_closed_total", "Sockets that ended.", { code: CLOSE_CODES });
  const exchanges = metrics.counter("sallyport_exchanges_total", "Token exchanges of sockets that ended.", { outcome: OUTCOMES });
  const calls = createCallMetrics(metrics, "sallyport_calls", "Calls of clients", methods.keys(), { via: ["socket", "http"] });
  const pushed = metrics.counter("sallyport_events_pushed_total", "Events that went to sockets.");
  const acknowledged = metrics.counter("sallyport_acks_total", "Message ids that clients acknowledged in frames.");
  const limited = metrics.counter("sallyport_rate_limited_total", "What was refused because there was too much of it.", {
    limiter: Object.keys(LIMITERS),
  });
  const revoked = metrics.counter("sallyport_sockets_revoked_total", "Sockets that were closed because their session had ended.");
  const operatorCalls = metrics.counter("sallyport_operator_calls_total", "Calls with the operator token.");
  const operatorRefusals = metrics.counter("sallyport_operator_refusals_total", "Calls with a wrong operator token.");
  const givenUp = metrics.counter("sallyport_relays_given_up_total", "Streams that were given up because nothing came on them.", {
    service: SERVICES,
  });
  const failures = metrics.counter("sallyport_handling_failures_total", "Faults of ours.", { where: ["socket", "http"] });
  return {
    copyConnected: (service, target) => logger.info({ service, target }, "service copy connected"),
    copyLost: (service, target) => logger.warn({ service, target }, "service copy lost"),
    copyLeaving: (service, target) => logger.info({ service, target }, "service copy leaving"),
    copySilent: (service, target) => {
      logger.warn({ service, target }, "service copy silent");
      givenUp.add(1, service);
    },
    copiesUnresolved: (service, name, error) => logger.warn({ service, name, err: error }, "service copies unresolved"),
    copyUnreachable: (service, target, error) => logger.warn({ service, target, err: error }, "service copy unreachable"),
    socketOpened: (connection, services) => {
      logger.debug({ connection, services }, "socket opened");
      opened.add(1);
    },
    exchangeCompleted: (connection) => {
      logger.debug({ connection }, "exchange completed");
      exchanges.add(1, "completed");
    },
    exchangeBroken: (connection, code) => {
      logger.debug({ connection, code }, "exchange broken");
      exchanges.add(1, BROKEN.get(code) ?? "left");
    },
    socketClosed: (connection, code) => {
      logger.debug({ connection, code }, "socket closed");
      closed.add(1, String(code));
    },
    sessionRevoked: (sessionId, sockets) => {
      logger.info({ sessionId, sockets }, "session revoked");
      revoked.add(sockets);
    },
    drainStarted: (sockets, windowMs) => logger.info({ sockets, windowMs }, "drain started"),
    callAnswered: (via, path, status, startedAt) => calls.answered(path, status, startedAt, via),
    eventPushed: () => pushed.add(1),
    acknowledged: (messages) => acknowledged.add(messages),
    rateLimited: (what) => {
      // Not louder: whoever floods the gateway would flood its log.
      logger.debug({ what }, "rate limited");
      limited.add(1, what);
    },
    operatorCalled: (method, address) => {
      logger.info({ method, address }, "operator called");
      operatorCalls.add(1);
    },
    operatorRefused: (address) => {
      logger.warn({ address }, "operator token refused");
      operatorRefusals.add(1);
    },
    operatorTokenUnreadable: (error) => logger.error({ err: error }, "operator token could not be read"),
    operatorListenerExposed: (host) => logger.warn({ host }, "operator calls travel in the clear unless something in front speaks TLS"),
    clientsUnnamed: () => logger.warn("all clients have the proxy's address: GATEWAY_TRUSTED_PROXIES names none"),
    certificateTaken: (validTo) => logger[validTo.getTime() > Date.now() ? "info" : "warn"]({ validTo }, "certificate taken"),
    certificateRefused: (problems) => logger.error({ problems }, "certificate refused"),
    handlingFailed: (where, error) => {
      logger.error({ where, err: error }, "handling failed");
      failures.add(1, where);
    },
  };
}
