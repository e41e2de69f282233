import type { SallyportError } from "../../platform/errors.ts";
import { AttachedModel } from "./attached-model.ts";
import type { ClientFrame, Outcome, ServerFrame } from "./frames.ts";
import type { GatewayModel } from "./gateway-model.ts";
import type { Wire } from "./network.ts";
import { retrying } from "./retrying.ts";
import type { Task } from "./timeline.ts";
import type { Token } from "./tokens.ts";
import type { World } from "./world.ts";

type Stage =
  | { readonly kind: "awaiting" }
  | { readonly kind: "judging" }
  | { readonly kind: "open"; readonly token: Token; readonly accountId: string; readonly attached: AttachedModel }
  | { readonly kind: "closed" };

const HELLO_MS = 10_000;
const JUDGEMENT_MS = 5_000;
const ATTEMPT_MS = 5_000;
const CALL_MS = 10_000;
const DISPLACED_MS = 10_000;

/** One socket of a gateway, from the upgrade to its end: gateway/{connection,exchange,confirmation,socket-calls}.ts, for one service. */
export class GatewaySocket {
  readonly id: number;
  readonly #gateway: GatewayModel;
  readonly #wire: Wire;
  #stage: Stage = { kind: "awaiting" };
  #confirmation: "due" | "running" | "durable" = "due";
  #held: (() => void)[] = [];
  /** Hears everything that goes to the client. */
  receive: (frame: ServerFrame) => void = () => undefined;

  constructor(gateway: GatewayModel, wire: Wire, id: number) {
    this.id = id;
    this.#gateway = gateway;
    this.#wire = wire;
    this.#world.timeline.after(HELLO_MS, gateway.process, () => this.#timeOut());
  }

  get #world(): World {
    return this.#gateway.world;
  }

  get isOpen(): boolean {
    return this.#stage.kind !== "closed";
  }

  get attached(): AttachedModel | undefined {
    return this.#stage.kind === "open" ? this.#stage.attached : undefined;
  }

  isOfSession(sessionId: number): boolean {
    return this.#stage.kind === "open" && this.#stage.token.sessionId === sessionId;
  }

  /** A frame has come. */
  received(frame: ClientFrame): void {
    if (frame.kind === "close") {
      this.closed();
    } else if (this.#stage.kind === "awaiting" && frame.kind === "token") {
      this.#judge(frame.token, frame.sentAt);
    } else if (this.#stage.kind === "open" && frame.kind !== "token") {
      this.#confirm(this.#stage.token);
      this.#serve(frame, this.#stage.accountId, this.#stage.attached);
    }
  }

  send(frame: ServerFrame): void {
    if (this.isOpen) {
      this.#wire.toClient(() => this.receive(frame));
    }
  }

  close(code: number): void {
    if (this.isOpen) {
      this.send({ kind: "closed", code });
      this.closed();
    }
  }

  displaced(): void {
    this.#world.timeline.after(DISPLACED_MS, this.#gateway.process, () => this.close(4409));
  }

  /** The socket has ended, for whatever reason. */
  closed(): void {
    const stage = this.#stage;
    if (stage.kind !== "closed") {
      this.#stage = { kind: "closed" };
      this.#gateway.sockets.delete(this.id);
      if (stage.kind === "open") {
        stage.attached.detach();
      }
    }
  }

  #timeOut(): void {
    if (this.#stage.kind === "awaiting" || this.#stage.kind === "judging") {
      this.close(this.#stage.kind === "judging" ? 4503 : 4408);
    }
  }

  #judge(token: Token, sentAt: number): void {
    const { timeline, flaw } = this.#world;
    if (timeline.now - sentAt > JUDGEMENT_MS && flaw !== "believes-old-frames") {
      this.close(4503);
      return;
    }
    this.#stage = { kind: "judging" };
    const relay = this.#gateway.pickAccount(this.id);
    const judgement = relay.call("", timeline.now + JUDGEMENT_MS, (call) => relay.service.present(call, token));
    timeline.spawn(
      judgement,
      ({ accountId, token: successor }) => this.#accept(accountId, successor),
      (error) => this.close((error as SallyportError).status === "UNAUTHENTICATED" ? 4401 : 4503),
    );
  }

  #accept(accountId: string, token: Token): void {
    if (!this.isOpen) {
      return;
    }
    if (this.#gateway.hasJustEnded(token.sessionId)) {
      this.close(4401);
      return;
    }
    this.send({ kind: "token", token });
    this.send({ kind: "access", generation: token.generation });
    const attached = new AttachedModel(this.#gateway, this, accountId);
    this.#stage = { kind: "open", token, accountId, attached };
    attached.attach();
  }

  /** The client has shown that it holds its new token. Only the first time counts. */
  #confirm({ sessionId, generation }: Token): void {
    if (this.#confirmation !== "due") {
      return;
    }
    this.#confirmation = "running";
    const attempt = (): Task<void> => {
      const relay = this.#gateway.pickAccount(sessionId);
      return relay.call("", this.#world.timeline.now + ATTEMPT_MS, () => relay.service.confirm(sessionId, generation));
    };
    this.#world.timeline.spawn(
      retrying(this.#world, this.#gateway.process, attempt, () => this.isOpen),
      () => {
        this.#confirmation = "durable";
        for (const act of this.#held.splice(0)) {
          act();
        }
      },
      () => this.close(4503),
    );
  }

  #whenDurable(act: () => void): void {
    if (this.#confirmation === "durable" || this.#world.flaw === "answers-unconfirmed") {
      act();
    } else {
      this.#held.push(act);
    }
  }

  #serve(frame: Exclude<ClientFrame, { kind: "token" | "close" }>, accountId: string, attached: AttachedModel): void {
    const deadline = this.#world.timeline.now + CALL_MS;
    switch (frame.kind) {
      case "keepAlive":
        break;
      case "ack":
        attached.acknowledge(frame.ids);
        break;
      case "send": {
        const relay = this.#gateway.pickChat(frame.letter.recipientId);
        this.#answer(
          frame.answered,
          relay.call(accountId, deadline, (call) => relay.service.send(call, frame.letter)),
        );
        break;
      }
      case "ackCall": {
        const relay = this.#gateway.pickDelivery(accountId);
        this.#answer(
          frame.answered,
          relay.call(accountId, deadline, (call) => relay.service.acknowledge(call, frame.ids)),
        );
        break;
      }
    }
  }

  #answer(answered: (outcome: Outcome) => void, call: Task<Outcome>): void {
    const reply = (outcome: Outcome): void => this.#whenDurable(() => this.send({ kind: "reply", outcome, answered }));
    this.#world.timeline.spawn(call, reply, (error) => reply({ kind: "failed", error: error as SallyportError }));
  }
}
