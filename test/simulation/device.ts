import { DeviceSocket } from "./device-socket.ts";
import { Outbox } from "./outbox.ts";
import { Process } from "./timeline.ts";
import type { Token } from "./tokens.ts";
import type { World } from "./world.ts";

const RESTART_MS = 2_000;

/** An app on a device: what it has on disk, and its sockets. One that is a thief has a copy of somebody's token, and only listens. */
export class Device {
  readonly world: World;
  readonly process: Process;
  readonly accountId: string;
  readonly isThief: boolean;
  /** On disk: the newest refresh token, what was kept of messages, what is to be sent. */
  token: Token;
  readonly kept: Set<string> = new Set();
  readonly outbox: Outbox;
  /** Sockets that have not ended, oldest first. */
  sockets: DeviceSocket[] = [];
  wantsOnline = false;
  #sent = 0;

  constructor(world: World, name: string, accountId: string, token: Token, isThief = false) {
    this.world = world;
    this.process = new Process(name);
    this.accountId = accountId;
    this.token = token;
    this.isThief = isThief;
    this.outbox = new Outbox(this);
  }

  get newest(): DeviceSocket | undefined {
    return this.sockets.at(-1);
  }

  /** Opens a socket, also beside others. */
  connect(): void {
    if (this.process.isUp) {
      this.wantsOnline = !this.isThief;
      this.sockets.push(new DeviceSocket(this, this.world.random.pick(this.world.gateways)));
    }
  }

  /** Closes all sockets, or has them cut. */
  disconnect(isClean: boolean): void {
    for (const socket of [...this.sockets]) {
      if (isClean) {
        socket.close();
      } else {
        socket.cut();
      }
    }
  }

  /** Goes away of its own accord. */
  leave(): void {
    this.wantsOnline = false;
    this.disconnect(true);
  }

  /** Loses its memory, and starts again a while later. */
  crash(): void {
    const { network, timeline, random } = this.world;
    network.cutAll(this.process);
    this.process.life += 1;
    this.process.isUp = false;
    this.sockets = [];
    timeline.after(random.below(RESTART_MS), undefined, () => {
      this.process.isUp = true;
      if (this.wantsOnline) {
        this.connect();
      }
    });
  }

  /** Writes a letter; `id` where it takes the id of another one. */
  write(recipientId: string, otherId?: string): void {
    this.#sent += 1;
    const letter = { id: otherId ?? this.world.newMessageId(), recipientId, body: Buffer.allocUnsafe(1) };
    const outgoing = {
      letter,
      sender: this.process.name,
      place: this.#sent,
      isOther: otherId !== undefined,
      attempts: 0,
      isSettled: false,
    };
    if (otherId === undefined) {
      this.world.letters.set(letter.id, outgoing);
    }
    this.outbox.add(outgoing);
  }

  /** Before anything more is sent, the new token is on disk. */
  keepToken(token: Token): void {
    if (token.sessionId === this.token.sessionId && token.generation > this.token.generation) {
      this.token = token;
    }
  }

  opened(socket: DeviceSocket): void {
    const { timeline, random } = this.world;
    const isLazy = this.isThief ? random.below(2) === 0 : random.below(6) === 0;
    timeline.after(isLazy ? random.below(8_000) : random.below(50), this.process, () => {
      if (socket.isOpen) {
        socket.send({ kind: "keepAlive" });
      }
    });
    if (socket === this.newest) {
      this.outbox.restart();
    }
  }

  /** A message has come. */
  keep(socket: DeviceSocket, id: string): void {
    if (!this.isThief) {
      this.kept.add(id);
      socket.acknowledge(id, this.world.ackDelay());
    }
  }

  displaced(socket: DeviceSocket): void {
    if (socket === this.newest) {
      this.wantsOnline = false;
    }
  }

  closed(socket: DeviceSocket, code: number): void {
    const wasNewest = socket === this.newest;
    this.sockets = this.sockets.filter((one) => one !== socket);
    if (wasNewest && this.newest !== undefined) {
      this.outbox.restart();
    }
    if (code === 4401 && socket.token.sessionId === this.token.sessionId) {
      this.world.tokenWatch.loggedOut(this);
      if (!this.isThief) {
        this.token = this.world.logIn(this.accountId);
      }
    }
    if (this.wantsOnline && this.sockets.length === 0) {
      this.world.timeline.after(100 + this.world.random.below(1_500), this.process, () => {
        if (this.wantsOnline && this.sockets.length === 0) {
          this.connect();
        }
      });
    }
  }
}
