import { newUuid } from "../../../platform/ids.ts";
import type { Caller } from "../../../platform/rpc/call.ts";
import { type CallOptions, type Client, createClient } from "../../../platform/rpc/client.ts";
import { RelayClient } from "../../../platform/rpc/relay-client.ts";
import {
  type ChatServiceRpcs,
  chatService,
  type DeliveryServiceRpcs,
  deliveryService,
  leaseService,
  type ModerationServiceRpcs,
  moderationService,
} from "../../../proto/gen/policy/services.ts";
import type { Message, SendMessageResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { Event } from "../../../proto/gen/sallyport/gateway/v1/events.ts";
import type { Push } from "../../../proto/gen/sallyport/relay/v1/relay.ts";

/** The other end of the relay: pushes as they come, and calls of any account. */
export class FakeGateway implements Disposable {
  readonly incarnation: string;
  readonly pushes: Push[] = [];
  /** The connections that it was woken for. */
  readonly wakes: number[] = [];
  readonly chat: Client<ChatServiceRpcs>;
  readonly delivery: Client<DeliveryServiceRpcs>;
  readonly moderation: Client<ModerationServiceRpcs>;
  readonly relay: RelayClient;
  #lastConnection = 0;
  #watchers: (() => void)[] = [];

  /** Two with one incarnation are the streams of one gateway to two copies. */
  constructor(target: string, incarnation: string = newUuid()) {
    this.incarnation = incarnation;
    const notice = (): void => this.#notice();
    this.relay = new RelayClient(target, this.incarnation, {
      connected: notice,
      disconnected: notice,
      pushed: (push) => {
        this.pushes.push(push);
        notice();
      },
      revoked: () => undefined,
      woken: (connection) => {
        this.wakes.push(connection);
        notice();
      },
    });
    this.chat = createClient(chatService, this.relay);
    this.delivery = createClient(deliveryService, this.relay);
    this.moderation = createClient(moderationService, this.relay);
  }

  connected(): Promise<void> {
    return this.until(() => this.relay.isConnected);
  }

  async renewLease(): Promise<void> {
    await createClient(leaseService, this.relay).renewLease({ incarnation: this.incarnation }, { deadline: Date.now() + 5_000 });
  }

  /** Waits until something that a push or the stream brings is so. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** A socket of an account, attached and activated. */
  async open(accountId: string, inFlight: readonly string[] = [], queueEmptied = false): Promise<FakeSocket> {
    const socket = await this.attach(accountId, inFlight, queueEmptied);
    await socket.activate();
    return socket;
  }

  /** A socket of an account, attached only. */
  async attach(accountId: string, inFlight: readonly string[] = [], queueEmptied = false): Promise<FakeSocket> {
    this.#lastConnection += 1;
    const connection = this.#lastConnection;
    return this.attachAgain(accountId, connection, inFlight, queueEmptied);
  }

  async attachAgain(accountId: string, connection: number, inFlight: readonly string[], queueEmptied: boolean): Promise<FakeSocket> {
    const request = { connection, inFlightMessageIds: [...inFlight], queueEmptied };
    const { epoch } = await this.delivery.attach(request, as(accountId));
    return new FakeSocket(this, accountId, connection, epoch);
  }

  send(from: string, to: string, clientMessageId: string, body: string | Buffer): Promise<SendMessageResponse> {
    return this.chat.sendMessage({ recipientAccountId: to, clientMessageId, body: Buffer.from(body) }, as(from));
  }

  [Symbol.dispose](): void {
    this.relay[Symbol.dispose]();
  }

  #notice(): void {
    for (const watcher of this.#watchers.splice(0)) {
      watcher();
    }
  }
}

/** A socket as the chat service knows it. */
export class FakeSocket {
  readonly gateway: FakeGateway;
  readonly accountId: string;
  readonly connection: number;
  readonly epoch: number;

  constructor(gateway: FakeGateway, accountId: string, connection: number, epoch: number) {
    this.gateway = gateway;
    this.accountId = accountId;
    this.connection = connection;
    this.epoch = epoch;
  }

  get #name(): { connection: number; epoch: number } {
    return { connection: this.connection, epoch: this.epoch };
  }

  /** The events that were pushed to it under its epoch, in order. */
  get events(): readonly NonNullable<Event["kind"]>[] {
    return this.gateway.pushes.flatMap(({ connection, epoch, event }) =>
      connection === this.connection && epoch === this.epoch && event?.kind ? [event.kind] : [],
    );
  }

  get messages(): readonly Message[] {
    return this.events.flatMap((event) => (event.$case === "message" ? [event.value] : []));
  }

  /** Its events as words: bodies of messages, the kinds of others. */
  get story(): readonly string[] {
    return this.events.map((event) => (event.$case === "message" ? event.value.body.toString() : event.$case));
  }

  activate(rank = 0): Promise<unknown> {
    return this.gateway.delivery.activate({ ...this.#name, rank }, as(this.accountId));
  }

  detach(): Promise<unknown> {
    return this.gateway.delivery.detach(this.#name, as(this.accountId));
  }

  ack(...messageIds: string[]): Promise<unknown> {
    return this.gateway.delivery.acknowledge({ messageIds }, as(this.accountId));
  }

  credit(bytes: number): Promise<unknown> {
    return this.gateway.delivery.credit({ ...this.#name, bytes }, as(this.accountId));
  }

  /** Waits for so many messages. */
  async receive(count: number): Promise<readonly Message[]> {
    await this.gateway.until(() => this.messages.length >= count);
    return this.messages;
  }

  /** Waits for an event of a kind. */
  async receiveEvent(kind: NonNullable<Event["kind"]>["$case"]): Promise<void> {
    await this.gateway.until(() => this.events.some((event) => event.$case === kind));
  }
}

/** A call of an account that holds a token of the chat service. */
export function as(accountId: string, timeoutMs = 8_000): CallOptions {
  const caller: Caller = { accountId, sessionId: accountId, service: "chat" };
  return { deadline: Date.now() + timeoutMs, caller, address: "127.0.0.1" };
}

/** A call of an operator. */
export function asOperator(timeoutMs = 8_000): CallOptions {
  return { deadline: Date.now() + timeoutMs, isOperator: true, address: "127.0.0.1" };
}
