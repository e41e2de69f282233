import type { SallyportError } from "../platform/errors.ts";
import { type Client, createClient } from "../platform/rpc/client.ts";
import { RelayClient, type RelayListener } from "../platform/rpc/relay-client.ts";
import type { InternalTls } from "../platform/rpc/tls.ts";
import {
  type DeliveryServiceRpcs,
  deliveryService,
  type LeaseServiceRpcs,
  leaseService,
  type MetricsServiceRpcs,
  metricsService,
  type TokenServiceRpcs,
  tokenService,
} from "../proto/gen/policy/services.ts";
import type { Push } from "../proto/gen/sallyport/relay/v1/relay.ts";
import type { ServiceName } from "../proto/method.ts";
import { rankCandidates } from "./rendezvous.ts";

/** One copy of a service, and the internal calls that a gateway makes there. */
export interface Copy {
  readonly service: ServiceName;
  readonly relay: RelayClient;
  readonly tokens: Client<TokenServiceRpcs>;
  readonly deliveries: Client<DeliveryServiceRpcs>;
  readonly leases: Client<LeaseServiceRpcs>;
  readonly metrics: Client<MetricsServiceRpcs>;
}

/** What happens on the streams to the copies of a service. */
export interface CopyListener {
  connected(copy: Copy): void;
  disconnected(copy: Copy): void;
  unreachable(copy: Copy, error: SallyportError): void;
  pushed(push: Push): void;
  revoked(sessionId: string): void;
  woken(connection: number): void;
}

/** All copies of one service, each with its relay stream. */
export class ServiceCopies implements Disposable {
  readonly service: ServiceName;
  readonly copies: readonly Copy[];
  readonly #byTarget: ReadonlyMap<string, Copy>;

  constructor(service: ServiceName, targets: readonly string[], incarnation: string, listener: CopyListener, tls?: InternalTls) {
    this.service = service;
    this.copies = [...new Set(targets)].map((target) => connectCopy(service, target, incarnation, listener, tls));
    this.#byTarget = new Map(this.copies.map((copy) => [copy.relay.target, copy]));
  }

  /** The copy that serves a key: the first of its ranking that is connected, or the first when none is. */
  pick(key: string): Copy {
    const ranking = rankCandidates(key, [...this.#byTarget.keys()]).map((target) => this.#byTarget.get(target) as Copy);
    return ranking.find(({ relay }) => relay.isConnected) ?? (ranking[0] as Copy);
  }

  [Symbol.dispose](): void {
    for (const { relay } of this.copies) {
      relay[Symbol.dispose]();
    }
  }
}

/** The services behind the gateway, by name. */
export type Services = Readonly<Record<ServiceName, ServiceCopies>>;

function connectCopy(service: ServiceName, target: string, incarnation: string, listener: CopyListener, tls?: InternalTls): Copy {
  const relayListener: RelayListener = {
    connected: () => listener.connected(copy),
    disconnected: () => listener.disconnected(copy),
    unreachable: (_, error) => listener.unreachable(copy, error),
    pushed: (push) => listener.pushed(push),
    revoked: (sessionId) => listener.revoked(sessionId),
    woken: (connection) => listener.woken(connection),
  };
  const relay = new RelayClient(target, incarnation, relayListener, tls?.to(service));
  const copy: Copy = {
    service,
    relay,
    tokens: createClient(tokenService, relay),
    deliveries: createClient(deliveryService, relay),
    leases: createClient(leaseService, relay),
    metrics: createClient(metricsService, relay.channel),
  };
  return copy;
}
