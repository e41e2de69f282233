import type { GatewayPeer } from "../../../../../platform/rpc/call.ts";
import type { stepInbox } from "../../../../../services/chat/delivery/inbox.ts";
import { type Effect, EMPTY_INBOX, type InboxState, type Input, unaccountedOn } from "../../../../../services/chat/delivery/inbox-state.ts";
import type { ChatMessage } from "../../../../../services/chat/delivery/message.ts";
import { acceptedAs, gatewayNamed, messageNamed, OUTAGE } from "./inbox-scenario.ts";

/** How an operation of the database ends: done; not done and told so; done, but told that it was not; half done. */
export type Fate = "done" | "notDone" | "doneUntold" | "halfDone";

/** One thing that happens. Numbers pick among what there is at that time. */
export type Happening =
  | { readonly kind: "send"; readonly sender: number; readonly size: number }
  | { readonly kind: "apply"; readonly pick: number; readonly fate: Fate }
  | { readonly kind: "report"; readonly pick: number }
  | { readonly kind: "linger"; readonly pick: number }
  | { readonly kind: "later"; readonly pick: number }
  | { readonly kind: "attach" }
  | { readonly kind: "activate"; readonly pick: number }
  | { readonly kind: "detach"; readonly pick: number }
  | { readonly kind: "acknowledge"; readonly pick: number; readonly count: number }
  | { readonly kind: "acknowledgeByCall"; readonly pick: number; readonly count: number }
  | { readonly kind: "credit" }
  | { readonly kind: "abandon" }
  | { readonly kind: "crash" };

interface Operation {
  readonly effect: Extract<Effect, { kind: "store" | "record" | "forget" | "read" }>;
  /** What to tell the inbox, once the database has been asked. */
  outcome?: Input;
}

interface Socket {
  readonly connection: number;
  epoch: number;
  isOpen: boolean;
  /** All that it was pushed, and what of it is not acknowledged. */
  readonly received: string[];
  readonly unacknowledged: Set<string>;
  /** Acknowledged by a call: the gateway did not see it. */
  readonly unseen: Set<string>;
  /** Pushed by a process that died, not acknowledged then. */
  readonly carriedOver: Set<string>;
  queueEmptied: boolean;
}

interface Sender {
  /** Not answered OK, oldest first. */
  readonly unanswered: ChatMessage[];
  sent: number;
}

/** One inbox, its database, its sockets and two senders. What is wrong is thrown at once. */
export class InboxSimulation {
  readonly #step: typeof stepInbox;
  readonly #isPipelined: boolean;
  #state: InboxState = EMPTY_INBOX;
  #gateway: GatewayPeer = gatewayNamed("g");
  #operations: Operation[] = [];
  #lingering: string[] = [];
  #later: Input[] = [];
  readonly #ledger = new Map<string, "pending" | "delivered">();
  readonly #bodies = new Map<string, ChatMessage>();
  #sockets: Socket[] = [];
  readonly #senders: readonly Sender[] = [
    { unanswered: [], sent: 0 },
    { unanswered: [], sent: 0 },
  ];
  readonly #accepted = new Set<string>();
  /** What an application has that drops what it has seen. */
  readonly #application: string[] = [];
  readonly #kept = new Set<string>();
  #clock = 0;
  #epoch = 0;

  /** `isPipelined`: senders do not wait for their answers; then nothing may fail. */
  constructor(step: typeof stepInbox, isPipelined: boolean) {
    this.#step = step;
    this.#isPipelined = isPipelined;
  }

  /** Lets something happen; what there is nothing for does not. */
  happen(happening: Happening): void {
    switch (happening.kind) {
      case "send":
        this.#send(happening.sender, happening.size);
        break;
      case "apply":
        this.#apply(pick(this.#operations.filter(isUnapplied), happening.pick), this.#isPipelined ? "done" : happening.fate);
        break;
      case "report":
        this.#report(pick(this.#operations.filter(isApplied), happening.pick));
        break;
      case "linger":
        this.#take(this.#lingering, happening.pick, (id) => this.#tell({ kind: "lingered", id }));
        break;
      case "later":
        this.#take(this.#later, happening.pick, (input) => this.#tell(input));
        break;
      case "attach":
        this.#attach();
        break;
      case "activate":
        this.#activate(happening.pick);
        break;
      case "detach":
        this.#detach(pick(this.#open(), happening.pick));
        break;
      case "acknowledge":
        this.#acknowledge(pick(this.#open(), happening.pick), happening.count);
        break;
      case "acknowledgeByCall":
        this.#acknowledge(pick(this.#open(), happening.pick), happening.count, (socket, id) => socket.unseen.add(id));
        break;
      case "credit":
        this.#credit();
        break;
      case "abandon":
        this.#abandon();
        break;
      case "crash":
        this.#crash();
        break;
    }
    this.#requireNothingLost();
  }

  /** Lets everything come to rest with a socket that acknowledges all, then checks what has become of it. */
  settle(): void {
    this.happen({ kind: "attach" });
    this.happen({ kind: "activate", pick: this.#sockets.length });
    let wakes = 0;
    for (let round = 0; round < 5_000 && wakes < 3; round += 1) {
      this.#retrySends();
      for (const kind of ["linger", "later", "report", "credit"] as const) {
        this.happen({ kind, pick: 0 });
      }
      this.happen({ kind: "apply", pick: 0, fate: "done" });
      for (let socket = 0; socket < this.#sockets.length; socket += 1) {
        this.happen({ kind: "acknowledge", pick: socket, count: 1_000 });
      }
      if (this.#operations.length + this.#lingering.length + this.#later.length === 0) {
        // As the service asks every few seconds for what nobody was told of.
        this.#tell({ kind: "woken" });
        wakes += 1;
      }
    }
    this.#requireEnd();
  }

  #send(which: number, size: number): void {
    const sender = this.#senders[which % 2] as Sender;
    if (!this.#isPipelined && sender.unanswered.length > 0) {
      this.#retrySends();
      return;
    }
    this.#clock += 1;
    const message = { ...messageNamed(`${which % 2}:${sender.sent}`, this.#clock, size), senderId: `${which % 2}` };
    sender.sent += 1;
    sender.unanswered.push(message);
    this.#offer(message);
  }

  #retrySends(): void {
    if (!this.#isPipelined) {
      for (const { unanswered } of this.#senders) {
        for (const message of [...unanswered]) {
          this.#offer({ ...message, order: ++this.#clock });
        }
      }
    }
  }

  /** As the service does: the ledger is asked first. */
  #offer(message: ChatMessage): void {
    const known = this.#ledger.get(message.id);
    if (known === undefined || this.#state.entries.has(message.id)) {
      this.#tell({ kind: "offered", message });
      return;
    }
    if (known === "pending" && !this.#bodies.has(message.id)) {
      this.#bodies.set(message.id, message);
    }
    this.#answer(message.id);
    this.#tell({ kind: "woken" });
  }

  #answer(id: string): void {
    this.#accepted.add(id);
    for (const { unanswered } of this.#senders) {
      const index = unanswered.findIndex((message) => message.id === id);
      if (index >= 0) {
        unanswered.splice(index, 1);
      }
    }
  }

  #tell(input: Input): void {
    const [state, effects] = this.#step(this.#state, input);
    this.#state = state;
    for (const effect of effects) {
      this.#carryOut(effect);
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "push":
        this.#receive(effect.to.epoch, effect.message);
        break;
      case "pushQueueEmpty":
        this.#socketOf(effect.to.epoch).queueEmptied = true;
        break;
      case "linger":
        this.#lingering.push(effect.id);
        break;
      case "store":
      case "record":
      case "forget":
      case "read":
        this.#operations.push({ effect });
        break;
      case "retryLater":
        this.#later.push({ kind: "retried", ids: effect.ids });
        break;
      case "wakeLater":
        this.#later.push({ kind: "woken" });
        break;
      case "answer":
        this.#answer(effect.id);
        break;
      case "pushDisplaced":
      case "refuse":
      case "confirm":
      case "disappoint":
        break;
    }
  }

  #receive(epoch: number, { id }: ChatMessage): void {
    const socket = this.#socketOf(epoch);
    if (socket.carriedOver.has(id) && (socket.unacknowledged.has(id) || socket.unseen.has(id))) {
      // The gateway passes over a second push of what it has in flight.
      return;
    }
    const isAnsweredByGateway = socket.carriedOver.has(id) && !socket.unacknowledged.has(id);
    if (socket.received.includes(id) && !isAnsweredByGateway) {
      throw new Error(`pushed twice on one socket: ${id}`);
    }
    socket.received.push(id);
    socket.unacknowledged.add(id);
    if (!this.#application.includes(id)) {
      this.#application.push(id);
    }
  }

  #apply(operation: Operation | undefined, fate: Fate): void {
    if (operation === undefined) {
      return;
    }
    const { effect } = operation;
    const outcome = this.#ask(effect, fate);
    operation.outcome = fate === "done" && outcome !== undefined ? outcome : failureOf(effect);
  }

  #ask(effect: Operation["effect"], fate: Fate): Input | undefined {
    if (fate === "notDone") {
      return undefined;
    }
    switch (effect.kind) {
      case "store":
        return this.#store(effect.message, fate);
      case "record":
        this.#ledger.set(effect.message.id, "delivered");
        this.#bodies.delete(effect.message.id);
        return { kind: "recorded", id: effect.message.id, accepted: acceptedAs("delivered") };
      case "forget":
        return { kind: "forgotten", ids: effect.ids, unknown: this.#forget(effect.ids, fate) };
      case "read":
        return this.#read(effect);
    }
  }

  #store(message: ChatMessage, fate: Fate): Input {
    const { id } = message;
    if (this.#ledger.get(id) === "delivered") {
      return { kind: "stored", id, accepted: acceptedAs("delivered") };
    }
    this.#ledger.set(id, "pending");
    if (fate !== "halfDone") {
      this.#bodies.set(id, this.#bodies.get(id) ?? message);
    }
    return { kind: "stored", id, accepted: acceptedAs("stored") };
  }

  /** Answers those that were not there. */
  #forget(ids: readonly string[], fate: Fate): readonly string[] {
    const unknown = ids.filter((one) => !this.#bodies.has(one));
    for (const id of ids.filter((one) => this.#bodies.has(one))) {
      this.#ledger.set(id, "delivered");
      if (fate !== "halfDone") {
        this.#bodies.delete(id);
      }
    }
    return unknown;
  }

  #read({ epoch, exclude, maxMessages, maxBytes }: Extract<Effect, { kind: "read" }>): Input {
    for (const id of this.#bodies.keys()) {
      if (this.#ledger.get(id) === "delivered") {
        this.#bodies.delete(id);
      }
    }
    const waiting = [...this.#bodies.values()].filter(({ id }) => !exclude.includes(id)).sort((a, b) => a.order - b.order);
    const messages: ChatMessage[] = [];
    let bytes = 0;
    for (const message of waiting) {
      bytes += message.body.length;
      if (messages.length === Math.min(maxMessages, 3) || (messages.length > 0 && bytes > maxBytes)) {
        break;
      }
      messages.push(message);
    }
    return { kind: "pageRead", epoch, messages, exhausted: messages.length === waiting.length };
  }

  #report(operation: Operation | undefined): void {
    if (operation?.outcome !== undefined) {
      this.#operations = this.#operations.filter((one) => one !== operation);
      this.#tell(operation.outcome);
    }
  }

  #attach(): void {
    this.#epoch += 1;
    const socket = { connection: this.#epoch, epoch: this.#epoch, isOpen: true, queueEmptied: false };
    this.#sockets.push({ ...socket, received: [], unacknowledged: new Set(), unseen: new Set(), carriedOver: new Set() });
    this.#attachSocket(socket.connection, this.#epoch, [], false);
  }

  #attachSocket(connection: number, epoch: number, inFlight: readonly string[], queueEmptied: boolean): void {
    this.#tell({ kind: "attached", gateway: this.#gateway, connection, epoch, inFlight, queueEmptied });
  }

  #activate(index: number): void {
    const { candidates, current } = this.#state;
    const epoch = pick([...candidates.values()], index)?.epoch;
    if (epoch !== undefined && current !== undefined && current.epoch > epoch) {
      this.#tell({ kind: "outdated", epoch, heir: { incarnation: current.gateway.incarnation, connection: current.connection } });
    } else if (epoch !== undefined) {
      this.#tell({ kind: "activated", epoch, mark: this.#clock });
    }
  }

  #detach(socket: Socket | undefined): void {
    if (socket !== undefined) {
      socket.isOpen = false;
      this.#tell({ kind: "detached", incarnation: "g", connection: socket.connection, epoch: socket.epoch });
    }
  }

  #acknowledge(socket: Socket | undefined, count: number, note: (socket: Socket, id: string) => void = () => undefined): void {
    const ids = [...(socket?.unacknowledged ?? [])].slice(0, count);
    if (socket !== undefined && ids.length > 0) {
      for (const id of ids) {
        socket.unacknowledged.delete(id);
        this.#kept.add(id);
        note(socket, id);
      }
      this.#tell({ kind: "acknowledged", ids });
    }
  }

  #credit(): void {
    const { current } = this.#state;
    if (current !== undefined) {
      this.#tell({ kind: "credited", connection: current.connection, epoch: current.epoch, bytes: current.uncredited });
    }
  }

  /** As when the account is deleted, but for the database: there all stays as it was. */
  #abandon(): void {
    for (const socket of this.#open()) {
      socket.isOpen = false;
    }
    this.#tell({ kind: "abandoned" });
    if (this.#state.current !== undefined || this.#state.candidates.size > 0 || this.#lingers()) {
      throw new Error("abandoned, but something still waits for a socket");
    }
  }

  #lingers(): boolean {
    return [...this.#state.entries.values()].some(({ phase }) => phase.kind === "lingering" || phase.kind === "adrift");
  }

  /** The process dies and another starts: memory is gone, the database stays, the gateway attaches its sockets again. */
  #crash(): void {
    if (this.#isPipelined) {
      return;
    }
    this.#state = EMPTY_INBOX;
    [this.#operations, this.#lingering, this.#later] = [[], [], []];
    this.#gateway = gatewayNamed("g");
    // A push of what was acknowledged just before is answered by the gateway: as if the socket were another one.
    for (const socket of this.#open()) {
      this.#epoch += 1;
      socket.epoch = this.#epoch;
      // A call that was not answered is made again.
      for (const id of [...socket.unseen].filter((one) => this.#ledger.get(one) !== "delivered")) {
        socket.unseen.delete(id);
        socket.unacknowledged.add(id);
      }
      const inFlight = [...socket.unacknowledged, ...socket.unseen];
      for (const id of inFlight) {
        socket.carriedOver.add(id);
      }
      socket.received.splice(0, Number.POSITIVE_INFINITY, ...inFlight);
      this.#attachSocket(socket.connection, socket.epoch, inFlight, socket.queueEmptied);
      this.#landGone(socket.epoch);
    }
  }

  /** As the service does: the database says what of it still waits. */
  #landGone(epoch: number): void {
    const ids = unaccountedOn(this.#state, epoch).filter((id) => !this.#bodies.has(id));
    this.#tell({ kind: "gone", epoch, ids });
    const stale = unaccountedOn(this.#state, epoch).filter((id) => !this.#bodies.has(id));
    if (stale.length > 0) {
      throw new Error(`takes up room for ever: ${stale.join()}`);
    }
  }

  #requireNothingLost(): void {
    for (const id of this.#accepted) {
      if (this.#ledger.get(id) !== "delivered" && !this.#bodies.has(id)) {
        throw new Error(`accepted, but neither pending nor delivered: ${id}`);
      }
    }
    for (const [id, state] of this.#ledger) {
      if (state === "delivered" && !this.#kept.has(id)) {
        throw new Error(`delivered without an acknowledgement: ${id}`);
      }
    }
  }

  #requireEnd(): void {
    for (const id of this.#accepted) {
      if (this.#ledger.get(id) !== "delivered" || !this.#application.includes(id)) {
        throw new Error(`accepted, but never brought: ${id}`);
      }
    }
    if (this.#bodies.size > 0 || this.#senders.some(({ unanswered }) => unanswered.length > 0)) {
      throw new Error("something does not come to rest");
    }
    for (const sender of ["0", "1"]) {
      const order = this.#application.filter((id) => id.startsWith(`${sender}:`)).map((id) => Number(id.slice(2)));
      if (order.some((place, index) => index > 0 && place < (order[index - 1] ?? 0))) {
        throw new Error(`out of order: ${order.join()}`);
      }
    }
  }

  #socketOf(epoch: number): Socket {
    const socket = this.#sockets.find((one) => one.epoch === epoch);
    if (socket === undefined) {
      throw new Error(`no socket of epoch ${epoch}`);
    }
    return socket;
  }

  #open(): readonly Socket[] {
    return this.#sockets.filter(({ isOpen }) => isOpen);
  }

  #take<T>(from: T[], index: number, use: (item: T) => void): void {
    if (from.length > 0) {
      const [item] = from.splice(index % from.length, 1);
      use(item as T);
    }
  }
}

function pick<T>(from: readonly T[], index: number): T | undefined {
  return from[index % Math.max(1, from.length)];
}

function isApplied({ outcome }: Operation): boolean {
  return outcome !== undefined;
}

function isUnapplied({ outcome }: Operation): boolean {
  return outcome === undefined;
}

function failureOf(effect: Operation["effect"]): Input {
  switch (effect.kind) {
    case "store":
    case "record":
      return { kind: "failed", id: effect.message.id, error: OUTAGE };
    case "forget":
      return { kind: "notForgotten", ids: effect.ids, error: OUTAGE };
    case "read":
      return { kind: "pageFailed", epoch: effect.epoch };
  }
}
