import type { GatewayPeer } from "../../platform/rpc/call.ts";
import { STREAM_ENDED, TOO_LATE } from "./failures.ts";
import type { Wire } from "./network.ts";
import type { Process, Task } from "./timeline.ts";
import type { World } from "./world.ts";

/** What a service makes of a call: by whom, on whose behalf, until when. */
export interface Call {
  readonly gateway: GatewayPeer;
  readonly accountId: string;
  readonly deadline: number;
}

/** A service copy, as its relay streams see it. */
export interface RelayService {
  readonly process: Process;
  gatewayJoined(gateway: GatewayPeer): void;
  gatewayLeft(gateway: GatewayPeer): void;
}

/** A gateway, as its relay streams see it. */
export interface RelayGateway<Service extends RelayService> {
  readonly process: Process;
  readonly incarnation: string;
  connected(relay: Relay<Service>): void;
  disconnected(relay: Relay<Service>): void;
  pushed(connection: number, epoch: number, event: Parameters<GatewayPeer["push"]>[2]): void;
  revoked(sessionId: string): void;
  woken(connection: number): void;
}

interface PendingCall {
  readonly resume: (value: unknown) => void;
  readonly fail: (error: unknown) => void;
}

const RECONNECT_MS = 200;

/** One gateway's stream to one service copy: opened again whenever it has ended. */
export class Relay<Service extends RelayService> {
  readonly service: Service;
  readonly #world: World;
  readonly #gateway: RelayGateway<Service>;
  readonly #calls = new Set<PendingCall>();
  #wire: Wire | undefined;
  #peer: GatewayPeer | undefined;
  #isConnected = false;

  constructor(world: World, gateway: RelayGateway<Service>, service: Service) {
    this.#world = world;
    this.#gateway = gateway;
    this.service = service;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Tries until the stream stands. */
  open(): void {
    const { timeline, network } = this.#world;
    const { process } = this.service;
    timeline.after(network.delay(), this.#gateway.process, () => {
      if (process.isUp) {
        this.#connect();
      } else {
        timeline.after(RECONNECT_MS, this.#gateway.process, () => this.open());
      }
    });
  }

  /** Has the service do something; its answer, unless the stream ends or the deadline passes before. */
  *call<T>(accountId: string, deadline: number, handler: (call: Call) => Task<T>): Task<T> {
    const [wire, peer] = [this.#wire, this.#peer];
    if (wire === undefined || peer === undefined || !this.#isConnected) {
      throw STREAM_ENDED;
    }
    const { timeline } = this.#world;
    return (yield (resume, fail) => {
      const pending: PendingCall = { resume, fail };
      this.#calls.add(pending);
      const settle = (act: () => void): void => {
        if (this.#calls.delete(pending)) {
          act();
        }
      };
      timeline.at(deadline, this.#gateway.process, () => settle(() => fail(TOO_LATE)));
      wire.toService(() => {
        timeline.spawn(
          handler({ gateway: peer, accountId, deadline }),
          (value) => wire.toClient(() => settle(() => resume(value))),
          (error) => wire.toClient(() => settle(() => fail(error))),
        );
      });
    }) as T;
  }

  /** Has the service do something; whether it heard is not known. */
  tell(act: (service: Service) => void): void {
    this.#wire?.toService(() => act(this.service));
  }

  #connect(): void {
    const { network, timeline } = this.#world;
    const { service } = this;
    const gateway = this.#gateway;
    const wire = network.connect(
      { process: gateway.process, lost: () => this.#end(wire) },
      { process: service.process, lost: () => service.gatewayLeft(peer) },
    );
    const peer: GatewayPeer = {
      incarnation: gateway.incarnation,
      push: (connection, epoch, event) => wire.toClient(() => gateway.pushed(connection, epoch, event)),
      revoke: (sessionId) => wire.toClient(() => gateway.revoked(sessionId)),
      wake: (connection) => wire.toClient(() => gateway.woken(connection)),
      wakeAt: () => undefined,
    };
    this.#wire = wire;
    this.#peer = peer;
    wire.toService(() => {
      service.gatewayJoined(peer);
      wire.toClient(() => {
        timeline.log?.(`${gateway.process.name} connected to ${service.process.name}`);
        this.#isConnected = true;
        gateway.connected(this);
      });
    });
  }

  #end(wire: Wire): void {
    if (this.#wire !== wire) {
      return;
    }
    this.#world.timeline.log?.(`${this.#gateway.process.name} lost ${this.service.process.name}`);
    this.#wire = undefined;
    const wasConnected = this.#isConnected;
    this.#isConnected = false;
    for (const { fail } of this.#calls) {
      fail(STREAM_ENDED);
    }
    this.#calls.clear();
    if (wasConnected) {
      this.#gateway.disconnected(this);
    }
    this.open();
  }
}
