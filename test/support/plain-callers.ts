import { randomUUID } from "node:crypto";
import { RetryInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { chatService } from "../../proto/gen/policy/services.ts";
import { call, connectAndConfirm, logIn, type Person } from "./people.ts";
import type { RawSocket } from "./raw-socket.ts";

/** A person who sends messages without a client library: what fails is seen, not repeated. */
interface PlainCaller {
  readonly person: Person;
  readonly socket: RawSocket;
  readonly accessToken: Buffer;
}

/** How a call ended: "OK", "UNAVAILABLE, retry after 500 ms", or something worse. */
export type Outcome = string;

/** People who send messages one after the other, over their sockets and over HTTP, to somebody who is away; each outcome is counted. */
export class PlainCallers implements AsyncDisposable {
  readonly outcomes: Map<Outcome, number> = new Map();
  readonly accepted: string[] = [];
  readonly recipient: Person;
  readonly #callers: readonly PlainCaller[];
  readonly #httpUrl: string;
  #isOver = false;
  #sending: Promise<unknown> = Promise.resolve();
  #whenAccepted: () => void = () => undefined;

  private constructor(httpUrl: string, recipient: Person, callers: readonly PlainCaller[]) {
    this.#httpUrl = httpUrl;
    this.recipient = recipient;
    this.#callers = callers;
  }

  /** Logs so many people in and connects them. */
  static async start(httpUrl: string, people: number): Promise<PlainCallers> {
    const recipient = await logIn(httpUrl);
    const connecting = Array.from({ length: people }, async () => {
      const person = await logIn(httpUrl);
      return { person, ...(await connectAndConfirm(httpUrl, "chat", person.tokens.chat.refreshToken)) };
    });
    const callers = new PlainCallers(httpUrl, recipient, await Promise.all(connecting));
    callers.#sending = Promise.all(
      callers.#callers.flatMap((caller) => [
        callers.#loop(() => callers.#sendOnSocket(caller)),
        callers.#loop(() => callers.#sendOverHttp(caller)),
      ]),
    );
    return callers;
  }

  /** How many of the sockets are open. */
  get open(): number {
    return this.#callers.filter(({ socket }) => socket.socket.readyState === socket.socket.OPEN).length;
  }

  /** Resolves when so many more messages were accepted. */
  async acceptMore(messages: number): Promise<void> {
    const enough = this.accepted.length + messages;
    while (this.accepted.length < enough) {
      await new Promise<void>((resolve) => {
        this.#whenAccepted = resolve;
      });
    }
  }

  /** Sends no further messages; resolves when the last has its outcome. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#sending;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Promise.all(this.#callers.map(({ socket }) => socket[Symbol.asyncDispose]()));
  }

  async #loop(send: () => Promise<Outcome>): Promise<void> {
    while (!this.#isOver) {
      const outcome = await send();
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    }
  }

  #accept(messageId: string): Outcome {
    this.accepted.push(messageId);
    this.#whenAccepted();
    return "OK";
  }

  async #sendOnSocket({ socket }: PlainCaller): Promise<Outcome> {
    const method = chatService.methods.sendMessage;
    const message = { recipientAccountId: this.recipient.accountId, clientMessageId: randomUUID(), body: Buffer.from("hello") };
    const id = nextCallId();
    const encoded = Buffer.from(method.request.encode(message).finish());
    socket.sendFrame({ $case: "call", value: { id, method: method.path, request: encoded, timeoutMs: 0 } });
    const { code, response, details } = await socket.replyTo(id);
    if (code === 0) {
      return this.#accept(method.response.decode(response).messageId);
    }
    const hint = details.find(({ typeUrl }) => typeUrl.endsWith("google.rpc.RetryInfo"))?.value;
    return describe(code === 14 ? "unavailable" : `code ${code}`, hint);
  }

  async #sendOverHttp({ accessToken }: PlainCaller): Promise<Outcome> {
    const message = { recipientAccountId: this.recipient.accountId, clientMessageId: randomUUID(), body: "aGVsbG8=" };
    const { body } = await call(this.#httpUrl, "sallyport.chat.v1.ChatService/SendMessage", message, accessToken);
    if (typeof body["messageId"] === "string") {
      return this.#accept(body["messageId"]);
    }
    const details = (body["details"] ?? []) as { type: string; value: string }[];
    const hint = details.find(({ type }) => type === "google.rpc.RetryInfo")?.value;
    return describe(String(body["code"]), hint === undefined ? undefined : Buffer.from(hint, "base64"));
  }
}

function describe(code: string, hint: Uint8Array | undefined): Outcome {
  const delay = hint && RetryInfo.decode(hint).retryDelay;
  return delay ? `${code}, retry after ${delay.seconds * 1000 + delay.nanos / 1_000_000} ms` : code;
}

let lastCallId = 0;

function nextCallId(): number {
  lastCallId += 1;
  return lastCallId;
}
