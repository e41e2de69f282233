import { type SallyportError, unavailable } from "../platform/errors.ts";
import type { Channel } from "../platform/rpc/channel.ts";
import { type Client, createClient } from "../platform/rpc/client.ts";
import { RelayClient, type RelayListener } from "../platform/rpc/relay-client.ts";
import { type Target, type TargetOverrides, TargetWatch } from "../platform/rpc/targets.ts";
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

/** The way to one copy of a service. */
export interface Relay extends Pick<RelayClient, "target" | "isConnected" | "isLeaving" | "copy" | "invoke" | "wake"> {
  readonly channel: Pick<Channel, "invoke" | "isServing">;
}

/** One copy of a service, and the internal calls that a gateway makes there. */
export interface Copy {
  readonly service: ServiceName;
  readonly relay: Relay;
  readonly tokens: Client<TokenServiceRpcs>;
  readonly deliveries: Client<DeliveryServiceRpcs>;
  readonly leases: Client<LeaseServiceRpcs>;
  readonly metrics: Client<MetricsServiceRpcs>;
}

/** What happens on the streams to the copies of a service. */
export interface CopyListener {
  connected(copy: Copy): void;
  disconnected(copy: Copy): void;
  /** It stops, or its address is no longer one of the service: keys that it served are served elsewhere. The stream is kept until what this answers has settled. */
  leaving(copy: Copy): unknown;
  /** Its stream was given up, because nothing came on it any more. */
  silent(copy: Copy): void;
  unreachable(copy: Copy, error: SallyportError): void;
  /** The name that stands for the copies cannot be resolved. */
  unresolved(service: ServiceName, name: string, error: unknown): void;
  pushed(push: Push): void;
  revoked(sessionId: string): void;
  woken(connection: number): void;
}

/** All copies of one service, each with its relay stream, as their targets come and go. */
export class ServiceCopies implements Disposable {
  readonly service: ServiceName;
  readonly #incarnation: string;
  readonly #listener: CopyListener;
  readonly #tls: InternalTls | undefined;
  readonly #absent: Copy;
  readonly #byAddress = new Map<string, RelayedCopy>();
  /** Addresses that are no longer the service's. Each is let go once another one serves, or when its stream has ended. */
  readonly #unwanted = new Set<string>();
  /** Those that are let go: their last calls end. */
  readonly #parting = new Set<RelayClient>();
  readonly #watch: TargetWatch;
  /** The copies that take calls, by their ids: one each, though several targets lead to it. */
  #serving: ReadonlyMap<string, Copy> = new Map();

  constructor(
    service: ServiceName,
    targets: readonly string[],
    incarnation: string,
    listener: CopyListener,
    tls?: InternalTls,
    overrides?: TargetOverrides,
  ) {
    this.service = service;
    this.#incarnation = incarnation;
    this.#listener = listener;
    this.#tls = tls;
    this.#absent = withClients(service, noRelay(service));
    const targetListener = {
      appeared: (target: Target) => this.#want(target),
      vanished: (target: Target) => {
        this.#unwanted.add(target.address);
        this.#letUnwantedGo();
      },
      unresolved: (name: string, error: unknown) => listener.unresolved(service, name, error),
    };
    this.#watch = new TargetWatch(targets, targetListener, overrides);
  }

  /** The copies that are known; one that several targets lead to counts once. */
  get copies(): readonly Copy[] {
    const isAnother = (one: Copy, copy: Copy | undefined): boolean => copy !== undefined && copy !== one;
    return [...this.#byAddress.values()].filter((copy) => !isAnother(copy, this.#serving.get(copy.relay.copy ?? "")));
  }

  /** How many copies take calls. */
  get servingCount(): number {
    return this.#serving.size;
  }

  /**
   * The copy that serves a key: the same for every gateway that is connected to the same copies. When there is none, one is answered at which
   * every call fails with UNAVAILABLE.
   */
  pick(key: string): Copy {
    const [first = ""] = rankCandidates(key, [...this.#serving.keys()]);
    return this.#serving.get(first) ?? this.#absent;
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    for (const relay of [...this.#parting, ...[...this.#byAddress.values()].map((copy) => copy.relay)]) {
      relay[Symbol.dispose]();
    }
  }

  #want(target: Target): void {
    this.#unwanted.delete(target.address);
    if (!this.#byAddress.has(target.address)) {
      this.#connect(target);
    }
  }

  #connect(target: Target): void {
    const { service } = this;
    const listener = this.#listener;
    const relayListener: RelayListener = {
      connected: () => this.#changed(() => listener.connected(copy)),
      disconnected: () => this.#changed(() => listener.disconnected(copy)),
      leaving: () => this.#changed(() => listener.leaving(copy)),
      silent: () => listener.silent(copy),
      unreachable: (error) => listener.unreachable(copy, error),
      pushed: (push) => listener.pushed(push),
      revoked: (sessionId) => listener.revoked(sessionId),
      woken: (connection) => listener.woken(connection),
      wokenAt: (id, accountId) => this.#serving.get(id)?.relay.wake(accountId),
    };
    const relay = new RelayClient(target.address, this.#incarnation, relayListener, { tls: this.#tls?.to(service, target.name), service });
    const copy = withClients(service, relay);
    this.#byAddress.set(target.address, copy);
  }

  /** A name may lead to copies that do not serve yet, while those that it led to still do. */
  #letUnwantedGo(): void {
    const unwanted = [...this.#byAddress].filter(([address]) => this.#unwanted.has(address));
    const isReplaced = [...this.#byAddress].some(([address, copy]) => !this.#unwanted.has(address) && isAble(copy));
    for (const [address, { relay }] of unwanted) {
      if (isReplaced || !relay.isConnected) {
        this.#unwanted.delete(address);
        this.#byAddress.delete(address);
        void this.#letGo(relay);
      }
    }
  }

  async #letGo(relay: RelayClient): Promise<void> {
    this.#parting.add(relay);
    await relay.letGo();
    this.#parting.delete(relay);
  }

  /** What serves has changed: known before anybody is told. A copy that serves already goes on by the way by which it does. */
  #changed<T>(tell: () => T): T {
    const before = new Set(this.#serving.values());
    const able = [...this.#byAddress.values()].filter(isAble);
    const serving = new Map<string, Copy>();
    for (const copy of able.toSorted((one, other) => Number(before.has(other)) - Number(before.has(one)))) {
      const id = copy.relay.copy ?? "";
      serving.set(id, serving.get(id) ?? copy);
    }
    this.#serving = serving;
    const told = tell();
    this.#letUnwantedGo();
    return told;
  }
}

type RelayedCopy = Copy & { readonly relay: RelayClient };

/** Whether a copy takes calls. */
function isAble({ relay }: Copy): boolean {
  return relay.isConnected && !relay.isLeaving;
}

/** The services behind the gateway, by name. */
export type Services = Readonly<Record<ServiceName, ServiceCopies>>;

function withClients<R extends Relay>(service: ServiceName, relay: R): Copy & { readonly relay: R } {
  return {
    service,
    relay,
    tokens: createClient(tokenService, relay),
    deliveries: createClient(deliveryService, relay),
    leases: createClient(leaseService, relay),
    metrics: createClient(metricsService, relay.channel),
  };
}

/** The way to a copy while there is none. */
function noRelay(service: ServiceName): Relay {
  const invoke = async (): Promise<never> => {
    throw unavailable("the service cannot be reached", "SERVICE_UNREACHABLE");
  };
  return {
    target: service,
    copy: undefined,
    isConnected: false,
    isLeaving: false,
    channel: { invoke, isServing: () => Promise.resolve(false) },
    invoke,
    wake: () => undefined,
  };
}
