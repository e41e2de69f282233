import { randomInt, randomUUID } from "node:crypto";
import { type Client, createClient } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { nodeSurroundings } from "../../client/node.ts";
import { memoryTokenStore, type TokenStore } from "../../client/token-store.ts";

/** What the test's own clients saw: the oracle that the system is held against. */
export interface Verdict {
  readonly accepted: number;
  /** Accepted, but never handed to the recipient's app. */
  readonly lost: readonly string[];
  /** Handed to the recipient's app more than once. */
  readonly duplicated: readonly string[];
  /** Sends that ended with an error. */
  readonly failed: readonly string[];
  /** Why connections ended that nobody closed. */
  readonly loggedOut: readonly string[];
}

interface Participant {
  readonly accountId: string;
  readonly client: Client;
  readonly store: TokenStore;
  connection: Connection | undefined;
  /** Ends the reading of messages. */
  readonly leave: AbortController;
}

/** How long a send, with its repeats through outages, may take. */
const SEND_MS = 90_000;

/** People who write to each other through the client library, and a ledger over all of it. */
export class Traffic implements AsyncDisposable {
  readonly #people: Participant[] = [];
  readonly #accepted = new Map<string, string>();
  readonly #received = new Map<string, number>();
  readonly #failed: string[] = [];
  readonly #loggedOut: string[] = [];
  #arrived: () => void = () => undefined;

  /** Logs people in and connects them, or only the first `online` of them. */
  static async start(httpUrl: string, people: number, online: number = people): Promise<Traffic> {
    const traffic = new Traffic();
    const client = createClient({ url: httpUrl, surroundings: nodeSurroundings() });
    await Promise.all(Array.from({ length: people }, () => traffic.#logIn(client)));
    await Promise.all(traffic.#people.slice(0, online).map((person) => traffic.#connect(person)));
    return traffic;
  }

  /** Everybody's account. */
  get accountIds(): readonly string[] {
    return this.#people.map(({ accountId }) => accountId);
  }

  /** Connects those who are not yet. */
  async connectRest(): Promise<void> {
    await Promise.all(this.#people.filter(({ connection }) => connection === undefined).map((person) => this.#connect(person)));
  }

  /** Everybody who is connected sends so many messages to others, each when the last was answered. `progress` hears how many were accepted so far. */
  async send(messagesEach: number, progress: (accepted: number) => void = () => undefined): Promise<void> {
    const connections = this.#people.flatMap(({ connection }) => connection ?? []);
    await Promise.all(
      connections.map(async (connection) => {
        for (let sent = 0; sent < messagesEach; sent += 1) {
          await this.#sendOne(connection);
          progress(this.#accepted.size);
        }
      }),
    );
  }

  /** Resolves once every accepted message has arrived, or with what is missing when `deadlineMs` have passed. */
  async settle(deadlineMs: number): Promise<Verdict> {
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      this.#arrived();
    }, deadlineMs);
    while (this.#lost().length > 0 && !expired) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    clearTimeout(timer);
    return {
      accepted: this.#accepted.size,
      lost: this.#lost(),
      duplicated: [...this.#received].filter(([, times]) => times > 1).map(([id]) => id),
      failed: this.#failed,
      loggedOut: this.#loggedOut,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { leave } of this.#people) {
      leave.abort();
    }
    await Promise.all(this.#people.flatMap(({ connection }) => connection?.close() ?? []));
  }

  async #logIn(client: Client): Promise<void> {
    const store = memoryTokenStore();
    const { accountId } = await client.login({ dev: { name: `traffic-${randomUUID()}` } }, store);
    this.#people.push({ accountId, client, store, connection: undefined, leave: new AbortController() });
  }

  async #connect(person: Participant): Promise<void> {
    const { client, store, leave } = person;
    const connection = client.connect(["account", "chat"], { store });
    person.connection = connection;
    void connection.ended.then(({ meaning }) => {
      if (!leave.signal.aborted) {
        this.#loggedOut.push(meaning);
      }
    });
    void connection.eachMessage(({ id }) => {
      this.#received.set(id, (this.#received.get(id) ?? 0) + 1);
      this.#arrived();
    }, leave.signal);
    await connection.ready();
  }

  async #sendOne(connection: Connection): Promise<void> {
    const recipient = this.#people[randomInt(this.#people.length)] as Participant;
    const clientMessageId = randomUUID();
    const request = { recipientAccountId: recipient.accountId, clientMessageId, body: Buffer.from(clientMessageId) };
    try {
      const { messageId } = await connection.chat.sendMessage(request, { timeoutMs: SEND_MS });
      this.#accepted.set(messageId, recipient.accountId);
    } catch (error) {
      this.#failed.push(String(error));
    }
  }

  #lost(): string[] {
    return [...this.#accepted.keys()].filter((id) => !this.#received.has(id));
  }
}
