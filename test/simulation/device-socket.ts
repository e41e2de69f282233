import type { Device } from "./device.ts";
import type { ClientFrame, ServerFrame } from "./frames.ts";
import type { GatewayModel } from "./gateway-model.ts";
import type { GatewaySocket } from "./gateway-socket.ts";
import type { Wire } from "./network.ts";
import type { Token } from "./tokens.ts";

type Stage = "opening" | "exchanging" | "open" | "closed";

const MESSAGE = '{"message":{"id":"';
const ID_LENGTH = 36;

/** A client's end of a socket. */
export class DeviceSocket {
  readonly device: Device;
  readonly gateway: GatewayModel;
  /** When the client began to open it. */
  readonly beganAt: number;
  readonly received: Set<string> = new Set();
  isDisplaced = false;
  /** When its exchange was complete. */
  openedAt = 0;
  /** The token that it presents, then its successor. */
  token: Token;
  /** The run of the gateway and the number of the socket there. */
  name = "";
  #stage: Stage = "opening";
  #wire: Wire | undefined;
  #peer: GatewaySocket | undefined;
  readonly #acks = new Set<string>();
  #isAcking = false;

  constructor(device: Device, gateway: GatewayModel) {
    this.device = device;
    this.gateway = gateway;
    this.token = device.token;
    this.beganAt = device.world.timeline.now;
    const { timeline, network, plan } = device.world;
    timeline.after(network.delay(), device.process, () => this.#open());
    timeline.after(plan.patienceMs, device.process, () => this.#giveUp());
  }

  get isOpen(): boolean {
    return this.#stage === "open";
  }

  /** It has the account's events, as far as the client knows. */
  get isListening(): boolean {
    return this.#stage === "open" && !this.isDisplaced;
  }

  send(frame: ClientFrame): void {
    this.#wire?.toService(() => this.#peer?.received(frame));
  }

  /** The client closes it. */
  close(): void {
    if (this.#stage !== "closed") {
      this.send({ kind: "close" });
      this.#end(1000);
    }
  }

  /** The connection is cut. */
  cut(): void {
    this.#wire?.cut();
  }

  /** The client has kept these. */
  acknowledge(id: string, ms: number): void {
    this.#acks.add(id);
    if (!this.#isAcking) {
      this.#isAcking = true;
      this.device.world.timeline.after(ms, this.device.process, () => this.#sendAcks());
    }
  }

  #open(): void {
    const { device, gateway } = this;
    if (this.#stage !== "opening") {
      return;
    }
    if (!gateway.process.isUp) {
      this.#end(1006);
      return;
    }
    const wire = device.world.network.connect(
      { process: device.process, lost: () => this.#end(1006) },
      { process: gateway.process, lost: () => this.#peer?.closed() },
    );
    this.#wire = wire;
    wire.toService(() => {
      const peer = gateway.accept(wire);
      this.name = `${gateway.incarnation}/${peer.id}`;
      peer.receive = (frame) => this.#receive(frame);
      this.#peer = peer;
      wire.toClient(() => this.#present());
    });
  }

  #present(): void {
    if (this.#stage !== "opening") {
      return;
    }
    const { world, process, token, isThief } = this.device;
    this.#stage = "exchanging";
    this.token = token;
    world.timeline.log?.(`${process.name} presents generation ${token.generation} of session ${token.sessionId} on ${this.name}`);
    if (isThief) {
      world.tokenWatch.stolenPresented(token);
    }
    this.send({ kind: "token", token, sentAt: world.timeline.now });
  }

  #giveUp(): void {
    if (this.#stage === "opening" || this.#stage === "exchanging") {
      this.device.world.timeline.log?.(`${this.device.process.name} gives up on ${this.name}`);
      this.close();
    }
  }

  #receive(frame: ServerFrame): void {
    if (this.#stage === "closed") {
      return;
    }
    switch (frame.kind) {
      case "token":
        this.token = frame.token;
        this.device.keepToken(frame.token);
        break;
      case "access":
        this.#stage = "open";
        this.openedAt = this.device.world.timeline.now;
        this.device.opened(this);
        break;
      case "text":
        this.#hear(frame.text);
        break;
      case "reply":
        this.device.world.tokenWatch.replied(this);
        frame.answered(frame.outcome);
        break;
      case "closed":
        this.#end(frame.code);
        break;
    }
  }

  #hear(text: string): void {
    const { world, process } = this.device;
    if (text.startsWith(MESSAGE)) {
      const id = text.slice(MESSAGE.length, MESSAGE.length + ID_LENGTH);
      world.timeline.log?.(`${process.name} gets ${id} on ${this.name}`);
      world.letterWatch.received(this, id);
      this.received.add(id);
      this.device.keep(this, id);
    } else if (text.startsWith('{"displaced"')) {
      world.timeline.log?.(`${process.name} is displaced on ${this.name}`);
      world.socketWatch.requireUndisplaced(this);
      this.isDisplaced = true;
      world.socketWatch.displaced(this);
      this.device.displaced(this);
    } else {
      world.socketWatch.requireUndisplaced(this);
    }
  }

  #sendAcks(): void {
    this.#isAcking = false;
    const { world } = this.device;
    if (this.#stage !== "open") {
      return;
    }
    const ids = [...this.#acks];
    this.#acks.clear();
    world.timeline.log?.(`${this.device.process.name} acknowledges ${ids.join()}`);
    if (world.random.below(3) > 0) {
      world.letterWatch.ackSent(ids);
      this.send({ kind: "ack", ids });
      return;
    }
    this.send({
      kind: "ackCall",
      ids,
      answered: (outcome) => {
        if (outcome.kind === "done") {
          world.letterWatch.ackConfirmed(ids);
        } else {
          for (const id of ids) {
            this.acknowledge(id, 1_000);
          }
        }
      },
    });
  }

  #end(code: number): void {
    if (this.#stage !== "closed") {
      this.device.world.timeline.log?.(`${this.device.process.name}'s socket ${this.name} ended with ${code}`);
      this.#stage = "closed";
      this.#wire?.end();
      this.device.closed(this, code);
    }
  }
}
