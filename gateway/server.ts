import { urlOf } from "../platform/addresses.ts";
import type { Clock } from "../platform/clock.ts";
import { isLoopbackHost } from "../platform/env.ts";
import { newUuid } from "../platform/ids.ts";
import { Disposables, type Running } from "../platform/lifecycle.ts";
import type { Logger } from "../platform/logger.ts";
import { Metrics } from "../platform/metrics.ts";
import { openInternalTls } from "../platform/rpc/tls.ts";
import { AccessChecks } from "./access.ts";
import { BodyRoom } from "./body-room.ts";
import { Cleanup } from "./cleanup.ts";
import type { GatewayConfig } from "./config.ts";
import { loadRegistry } from "./connect-router.ts";
import type { GatewayContext } from "./context.ts";
import { drain } from "./drain.ts";
import { createEvents } from "./events.ts";
import { publicFront } from "./front.ts";
import { addGauges } from "./gauges.ts";
import { serveHttp } from "./http.ts";
import { Hub } from "./hub.ts";
import { Leases } from "./leases.ts";
import { createLimits, liftedLimits } from "./limits/limits.ts";
import { meteredRoom } from "./limits/metered-room.ts";
import { listenForOperators, type OperatorListener } from "./operator/listener.ts";
import { OperatorToken } from "./operator/token.ts";
import { PauseWatch } from "./pause-watch.ts";
import { listenForClients } from "./public-listener.ts";
import { ServiceCopies, type Services } from "./relay.ts";
import { endSession, listenToRelays } from "./relay-events.ts";
import { RevocationLog } from "./revocations.ts";
import { serveSockets } from "./socket.ts";
import { TimerWheel } from "./timer-wheel.ts";

/** A gateway that serves. */
export interface RunningGateway extends Running {
  /** Where the operator's listener is. */
  readonly adminAddress: string;
}

const MIB = 1024 * 1024;
/** How often the files of the public port's certificate are looked at. */
const CERTIFICATE_EVERY_MS = 2_000;

/** What a test may choose, and what the process counts besides. */
export interface GatewayOverrides {
  readonly metrics?: Metrics;
  readonly clock?: Clock;
  /** From 0 up to 1. */
  readonly random?: () => number;
  /** What the bodies of all HTTP requests may take at a time. */
  readonly bodyRoomBytes?: number;
  readonly certificateEveryMs?: number;
}

/**
 * Starts a gateway; the services behind it need not run. When disposed of, it drains: see GATEWAY_DRAIN_MS.
 * @throws ConfigError when there is no operator token or the files of mutual TLS cannot be used, Error when an address cannot be listened on.
 */
export async function startGateway(config: GatewayConfig, logger: Logger, overrides: GatewayOverrides = {}): Promise<RunningGateway> {
  const disposables = new Disposables();
  try {
    const metrics = overrides.metrics ?? new Metrics();
    const { context, leases } = await connect(config, logger, metrics, overrides, disposables);
    const operators = await startOperatorListener(context, metrics);
    disposables.defer(() => operators.listener.close());
    const rooms = {
      anonymous: createRoom(overrides.bodyRoomBytes ?? 64 * MIB, 20 * MIB),
      identified: createRoom(overrides.bodyRoomBytes ?? 256 * MIB, 64 * MIB),
    };
    addGauges(metrics, context, rooms);
    if (config.tls === undefined && config.transport.isSecure && config.transport.trustedProxies.isEmpty) {
      context.events.clientsUnnamed();
    }
    const http = serveHttp(context, publicFront(context.access, config.transport), {
      anonymous: meteredRoom(rooms.anonymous, context.limits.takeAnonymousBytes),
      identified: meteredRoom(rooms.identified, context.limits.takeBytes),
    });
    const listener = await listenForClients(context, overrides.certificateEveryMs ?? CERTIFICATE_EVERY_MS, (app) => {
      serveSockets(app, context);
      http.addRoutes(app);
    });
    disposables.defer(() => listener.close());
    disposables.defer(() => drain(context, { listener, requests: [http, operators.requests], leases }));
    return {
      address: urlOf(config.tls === undefined ? "http" : "https", config.host, listener.port),
      adminAddress: urlOf("http", config.adminHost, operators.listener.port),
      [Symbol.asyncDispose]: () => disposables[Symbol.asyncDispose](),
    };
  } catch (error) {
    await disposables[Symbol.asyncDispose]();
    throw error;
  }
}

async function startOperatorListener(context: GatewayContext, metrics: Metrics): Promise<OperatorListener> {
  const { config, events } = context;
  const token = await OperatorToken.open(config.operatorToken, (error) => events.operatorTokenUnreadable(error));
  if (!isLoopbackHost(config.adminHost)) {
    events.operatorListenerExposed(config.adminHost);
  }
  return listenForOperators(context, token, metrics);
}

function createRoom(bytes: number, bytesOfOne: number): BodyRoom {
  return new BodyRoom(bytes, Math.min(bytes, bytesOfOne));
}

/** The inside of a gateway, connected to the services. */
async function connect(
  config: GatewayConfig,
  logger: Logger,
  metrics: Metrics,
  { clock = Date.now, random = Math.random }: GatewayOverrides,
  disposables: Disposables,
): Promise<{ context: GatewayContext; leases: Leases }> {
  const own = <T extends Disposable>(part: T): T => {
    disposables.defer(() => part[Symbol.dispose]());
    return part;
  };
  const tls = await openInternalTls(config.internalTls, logger, disposables);
  const incarnation = newUuid();
  const events = createEvents(logger, metrics);
  const hub = new Hub(clock);
  const wheel = own(new TimerWheel(clock));
  const pauses = own(new PauseWatch());
  // Nothing below asks for the services before this function has returned.
  const access = new AccessChecks(() => services, clock);
  const leases = own(new Leases(() => services, incarnation));
  const listener = listenToRelays({ hub, access, leases, events, revocations: () => revocations });
  const services: Services = {
    account: own(new ServiceCopies("account", config.accountTargets, incarnation, listener, tls)),
    chat: own(new ServiceCopies("chat", config.chatTargets, incarnation, listener, tls)),
  };
  const revocations = own(new RevocationLog(services, (sessionId) => endSession({ access, hub, events }, sessionId)));
  const cleanup = own(new Cleanup());
  const limits = config.limits === undefined ? liftedLimits() : createLimits(config.limits, clock, (what) => events.rateLimited(what));
  const parts = { events, wheel, pauses, services, hub, access, cleanup, limits };
  return { context: { config, incarnation, registry: loadRegistry(), clock, random, ...parts }, leases };
}
