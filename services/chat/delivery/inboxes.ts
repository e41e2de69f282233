import type { GatewayPeer } from "../../../platform/rpc/call.ts";
import type { RelayObserver } from "../../../platform/rpc/relay-server.ts";
import { InboxActor, type InboxPorts } from "./inbox-actor.ts";
import type { Attachment } from "./inbox-state.ts";

/** What inboxes need: what each of them does, and who hears of wakes. */
export interface InboxesPorts extends InboxPorts {
  /** Another copy has stored or ended something in an inbox. */
  woken(actor: InboxActor): void;
}

/** The inboxes that something goes on in, and the gateways that are connected. */
export class Inboxes implements RelayObserver {
  readonly #ports: InboxesPorts;
  readonly #actors = new Map<string, InboxActor>();
  /** Which accounts have sockets on a gateway's stream. */
  readonly #accounts = new Map<GatewayPeer, Set<string>>();
  readonly #byIncarnation = new Map<string, GatewayPeer>();

  constructor(ports: InboxesPorts) {
    this.#ports = ports;
  }

  gatewayJoined(gateway: GatewayPeer): void {
    this.#accounts.set(gateway, new Set());
    this.#byIncarnation.set(gateway.incarnation, gateway);
  }

  gatewayLeft(gateway: GatewayPeer): void {
    const accountIds = this.#accounts.get(gateway) ?? [];
    this.#accounts.delete(gateway);
    if (this.#byIncarnation.get(gateway.incarnation) === gateway) {
      this.#byIncarnation.delete(gateway.incarnation);
      // A gateway that reaches this copy by two targets has another stream.
      const other = [...this.#accounts.keys()].find(({ incarnation }) => incarnation === gateway.incarnation);
      if (other !== undefined) {
        this.#byIncarnation.set(other.incarnation, other);
      }
    }
    for (const accountId of accountIds) {
      this.#actors.get(accountId)?.handle({ kind: "gatewayLeft", gateway });
    }
  }

  woken(accountId: string): void {
    const actor = this.#actors.get(accountId);
    if (actor !== undefined) {
      this.#ports.woken(actor);
    }
  }

  /** Whether a gateway's stream still stands. */
  isConnected(gateway: GatewayPeer): boolean {
    return this.#accounts.has(gateway);
  }

  /** The stream of a gateway's run, if it is connected here. */
  gateway(incarnation: string): GatewayPeer | undefined {
    return this.#byIncarnation.get(incarnation);
  }

  /** The streams of all gateways. */
  gateways(): Iterable<GatewayPeer> {
    return this.#accounts.keys();
  }

  /** Remembers that an account has a socket on a gateway. */
  note(gateway: GatewayPeer, accountId: string): void {
    this.#accounts.get(gateway)?.add(accountId);
  }

  /** An account's inbox. Use it at once or hold it: it is forgotten when nothing goes on in it. */
  of(accountId: string): InboxActor {
    const known = this.#actors.get(accountId);
    if (known !== undefined) {
      return known;
    }
    const actor: InboxActor = new InboxActor(accountId, this.#ports, () => this.#forget(actor));
    this.#actors.set(accountId, actor);
    return actor;
  }

  /** An account's inbox, if something goes on in it. */
  find(accountId: string): InboxActor | undefined {
    return this.#actors.get(accountId);
  }

  /** The inboxes that a socket has the events of. */
  attached(): readonly { readonly inbox: InboxActor; readonly current: Attachment }[] {
    return [...this.#actors.values()].flatMap((inbox) => (inbox.state.current ? [{ inbox, current: inbox.state.current }] : []));
  }

  /** The sockets that are attached and not activated. */
  candidates(): readonly { readonly inbox: InboxActor; readonly candidate: Attachment }[] {
    return [...this.#actors.values()].flatMap((inbox) => [...inbox.state.candidates.values()].map((candidate) => ({ inbox, candidate })));
  }

  /** How many inboxes something goes on in. */
  get size(): number {
    return this.#actors.size;
  }

  dispose(): void {
    for (const actor of this.#actors.values()) {
      actor.dispose();
    }
  }

  #forget(actor: InboxActor): void {
    if (this.#actors.get(actor.accountId) === actor) {
      this.#actors.delete(actor.accountId);
      for (const accountIds of this.#accounts.values()) {
        accountIds.delete(actor.accountId);
      }
    }
  }
}
