import type { Clock } from "../platform/clock.ts";
import { newUuid } from "../platform/ids.ts";
import { Disposables, type Running } from "../platform/lifecycle.ts";
import type { Logger } from "../platform/logger.ts";
import { AccessChecks } from "./access.ts";
import { startAdmin } from "./admin.ts";
import { BodyRoom } from "./body-room.ts";
import { Cleanup } from "./cleanup.ts";
import type { GatewayConfig } from "./config.ts";
import type { GatewayContext } from "./context.ts";
import { drain } from "./drain.ts";
import { createEvents } from "./events.ts";
import { type HttpRequests, serveHttp } from "./http.ts";
import { Hub } from "./hub.ts";
import { Leases } from "./leases.ts";
import { listen } from "./listener.ts";
import { findFailing } from "./readiness.ts";
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

/** What a test may choose. */
export interface GatewayOverrides {
  readonly clock?: Clock;
  /** What the bodies of all HTTP requests may take at a time. */
  readonly bodyRoomBytes?: number;
}

/**
 * Starts a gateway; the services behind it need not run. When disposed of, it drains: see GATEWAY_DRAIN_MS.
 * @throws Error when an address cannot be listened on.
 */
export async function startGateway(config: GatewayConfig, logger: Logger, overrides: GatewayOverrides = {}): Promise<RunningGateway> {
  const disposables = new Disposables();
  try {
    const { context, leases } = connect(config, logger, overrides.clock ?? Date.now, disposables);
    const admin = disposables.use(
      await startAdmin(config.adminHost, config.adminPort, () => findFailing(context.services, context.hub.isDraining)),
    );
    let requests: HttpRequests = { inFlight: 0 };
    const listener = listen(config.host, config.port, (app) => {
      serveSockets(app, context);
      requests = serveHttp(app, context, {
        anonymous: createRoom(overrides.bodyRoomBytes ?? 64 * MIB, 20 * MIB),
        identified: createRoom(overrides.bodyRoomBytes ?? 256 * MIB, 64 * MIB),
      });
    });
    disposables.defer(() => listener.close());
    disposables.defer(() => leases.end());
    disposables.defer(() => drain(context, requests));
    disposables.defer(() => listener.stopListening());
    return {
      address: `http://${config.host}:${listener.port}`,
      adminAddress: admin.address,
      [Symbol.asyncDispose]: () => disposables[Symbol.asyncDispose](),
    };
  } catch (error) {
    await disposables[Symbol.asyncDispose]();
    throw error;
  }
}

function createRoom(bytes: number, bytesOfOne: number): BodyRoom {
  return new BodyRoom(bytes, Math.min(bytes, bytesOfOne));
}

/** The inside of a gateway, connected to the services. */
function connect(
  config: GatewayConfig,
  logger: Logger,
  clock: Clock,
  disposables: Disposables,
): { context: GatewayContext; leases: Leases } {
  const own = <T extends Disposable>(part: T): T => {
    disposables.defer(() => part[Symbol.dispose]());
    return part;
  };
  const incarnation = newUuid();
  const events = createEvents(logger);
  const hub = new Hub(clock);
  const wheel = own(new TimerWheel(clock));
  // Nothing below asks for the services before this function has returned.
  const access = new AccessChecks(() => services, clock);
  const leases = own(new Leases(() => services, incarnation));
  const listener = listenToRelays({ hub, access, leases, events, revocations: () => revocations });
  const services: Services = {
    account: own(new ServiceCopies("account", config.accountTargets, incarnation, listener)),
    chat: own(new ServiceCopies("chat", config.chatTargets, incarnation, listener)),
  };
  const revocations = own(new RevocationLog(services, (sessionId) => endSession({ access, hub, events }, sessionId)));
  const cleanup = own(new Cleanup(clock));
  return { context: { config, incarnation, clock, random: Math.random, events, wheel, services, hub, access, cleanup }, leases };
}
