import { type Client, createClient } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import type { ServerEvent } from "../../client/event.ts";
import type { Surroundings } from "../../client/surroundings.ts";
import { memoryTokenStore, type TokenStore } from "../../client/token-store.ts";
import { Wakeup } from "../../client/wakeup.ts";
import { type Asked, ask, CALL_MS } from "./asking.ts";
import type { GatewayRotation } from "./gateway-rotation.ts";
import type { Ledger } from "./ledger.ts";
import { tapSurroundings } from "./tapped-surroundings.ts";

/** How long a socket may take to its tokens, in milliseconds: a gateway that is paused takes connections and says nothing. */
const EXCHANGE_MS = 10_000;

/** What everybody shares. */
export interface World {
  readonly ledger: Ledger;
  readonly surroundings: Surroundings;
  /** Numbers the connections of all accounts. */
  readonly nextConnection: () => number;
}

/** One run of an app, from its start to its end. It remembers what it has handled, and nothing of the runs before it. */
export class AppRun {
  readonly connection: Connection;
  readonly #changed = new Wakeup();
  readonly #reading: Promise<unknown>;
  #isEmptied = false;

  /** `read` reads the messages of the connection. */
  constructor(connection: Connection, read: (connection: Connection) => Promise<unknown>) {
    this.connection = connection;
    this.#reading = read(connection);
  }

  /** The server has sent everything that was pending. */
  emptied(): void {
    this.#isEmptied = true;
    this.#changed.wake();
  }

  /** Resolves once everything that was pending has been sent, or when the signal aborts; answers whether it has been sent. */
  async queueEmpty(signal: AbortSignal): Promise<boolean> {
    while (!this.#isEmptied && !signal.aborted) {
      await this.#changed.wait(signal);
    }
    return this.#isEmptied;
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.connection.close();
    await this.#reading;
  }
}

/** A device of somebody: its client library, its session, and one run of the app at a time. */
export class Device {
  readonly #world: World;
  readonly #name: string;
  readonly #store: TokenStore = memoryTokenStore();
  readonly #client: Client;
  #accountId = "";
  #connection = 0;
  #run: AppRun | undefined;

  /** `name`: who logs in on it. */
  constructor(world: World, name: string, gateways: GatewayRotation) {
    const { ledger, surroundings } = world;
    this.#world = world;
    this.#name = name;
    const wire = {
      called: () => ledger.attempt(),
      socketOpened: (at: number) => ledger.openSocket(this.#accountId, this.#connection, at),
      heard: (event: ServerEvent) => this.#hear(event),
    };
    this.#client = createClient({ url: gateways.next(), surroundings: tapSurroundings(surroundings, gateways, wire) });
  }

  /** Makes a session, in place of an earlier one. */
  async logIn(): Promise<Asked<{ readonly accountId: string }>> {
    const credential = { dev: { name: this.#name } };
    const asked = await ask(this.#world.ledger, "Login", () => this.#client.login(credential, this.#store, { timeoutMs: CALL_MS }));
    if (asked.kind === "answered") {
      this.#accountId = asked.answer.accountId;
    }
    return asked;
  }

  /** Starts the app. It takes messages as events, or leaves them to be asked for. */
  start(takesEvents: boolean): AppRun {
    const { ledger, nextConnection } = this.#world;
    this.#connection = nextConnection();
    const way = ledger.beginWay();
    const connection = this.#client.connect(["account", "chat"], { store: this.#store, exchangeTimeoutMs: EXCHANGE_MS });
    const accountId = this.#accountId;
    const run = new AppRun(connection, async () => {
      if (takesEvents) {
        await connection.eachMessage((message) => ledger.receive(accountId, way, message));
      }
    });
    this.#run = run;
    return run;
  }

  #hear(event: ServerEvent): void {
    if (event.type === "delivered") {
      this.#world.ledger.deliver({ senderId: this.#accountId, clientMessageId: event.clientMessageId });
    } else if (event.type === "queueEmpty") {
      this.#run?.emptied();
    }
  }
}
