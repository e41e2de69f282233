import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gatewayConfig } from "../../../gateway/config.ts";
import { type RunningGateway, startGateway } from "../../../gateway/server.ts";
import { newUuid } from "../../../platform/ids.ts";
import { Disposables, type Running } from "../../../platform/lifecycle.ts";
import { SendMessageRequest, SendMessageResponse, type State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { ServerFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";
import { quiet, startFakeAccount } from "../gateway/fake-services.ts";
import { TestSocket } from "../gateway/harness.ts";
import { ChatStack, type StackOptions } from "./chat-stack.ts";

const SEND = "/sallyport.chat.v1.ChatService/SendMessage";

/** Somebody with a token of the chat service. */
export interface Person {
  readonly accountId: string;
  readonly token: Buffer;
}

/** Chat copies on one database, and gateways that are connected to some of them; the account service is a fake. */
export class TwoByTwo implements AsyncDisposable {
  readonly stack: ChatStack;
  readonly targets: readonly [string, string];
  readonly #accountTarget: string;
  readonly #parts: Disposables;
  readonly #people: Map<string, Person>;

  private constructor(stack: ChatStack, accountTarget: string, parts: Disposables, people: Map<string, Person>) {
    this.stack = stack;
    this.targets = [stack.config.listen, `${stack.config.listen}.2`];
    this.#accountTarget = accountTarget;
    this.#parts = parts;
    this.#people = people;
  }

  /** One chat copy, and an account service that knows everybody who was invited. */
  static async start(options: StackOptions): Promise<TwoByTwo> {
    const parts = new Disposables();
    const people = new Map<string, Person>();
    const account = await startFakeAccount({
      token: {
        presentRefreshToken: ({ refreshToken }) => ({
          accountId: people.get(keyOf(refreshToken))?.accountId ?? "",
          sessionId: newUuid(),
          generation: 2,
          nextRefreshToken: randomBytes(1024),
          accessToken: randomBytes(32),
          grantId: randomBytes(32).toString("hex"),
        }),
      },
    });
    parts.use(account);
    const stack = parts.use(await ChatStack.start(options));
    return new TwoByTwo(stack, account.address, parts, people);
  }

  /** The second chat copy. */
  async startSecondCopy(): Promise<Running> {
    return this.#parts.use(await this.stack.anotherCopy());
  }

  /** A gateway before the copies at some of the targets; resolves once it is connected to those that run. */
  async gateway(targets: readonly string[], running: number = targets.length): Promise<RunningGateway> {
    const folder = await mkdtemp(join(tmpdir(), "sallyport-gateway-"));
    this.#parts.defer(() => rm(folder, { recursive: true }));
    const config = gatewayConfig({
      GATEWAY_PORT: "0",
      GATEWAY_ADMIN_PORT: "0",
      GATEWAY_DRAIN_MS: "0",
      SALLYPORT_DATA_DIR: folder,
      SALLYPORT_LIMITS: "off",
      ACCOUNT_TARGETS: this.#accountTarget,
      CHAT_TARGETS: targets.join(","),
    });
    const gateway = this.#parts.use(await startGateway(config, quiet));
    await until(async () => (await servingCopies(gateway)) === running);
    return gateway;
  }

  invite(): Person {
    const person = { accountId: this.stack.invite(), token: randomBytes(1024) };
    this.#people.set(keyOf(person.token), person);
    return person;
  }

  /** A chat socket of somebody that has had its queueEmpty. */
  async open({ address }: RunningGateway, person: Person): Promise<TestSocket> {
    const socket = new TestSocket(address);
    this.#parts.defer(async () => socket[Symbol.dispose]());
    await socket.opened();
    socket.ws.send(person.token);
    await socket.nextBytes();
    await socket.nextBytes();
    const event = await socket.nextEvent();
    if (!("queueEmpty" in event)) {
      throw new Error(`expected queueEmpty, not ${JSON.stringify(event)}`);
    }
    return socket;
  }

  /** The id of the copy that delivers to somebody, as the presence says. */
  async copyOf({ accountId }: Person): Promise<string> {
    const documents = await this.stack.documents("presence");
    return String(documents.find(({ _id }) => String(_id) === accountId)?.["current"]?.copy);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]();
  }
}

/** Waits until something is so. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) {
    await new Promise((next) => setImmediate(next));
  }
}

async function servingCopies({ adminAddress }: RunningGateway): Promise<number> {
  const metrics = await (await fetch(`${adminAddress}/metrics`)).text();
  return Number(/^sallyport_copies_serving\{[^}]*service="chat"[^}]*\} (\d+)$/m.exec(metrics)?.[1]);
}

/** Sends on a socket, passing over its events; answers how far the message came. */
export async function send(socket: TestSocket, to: Person, body: string, clientMessageId: string = newUuid()): Promise<State | undefined> {
  const request = { recipientAccountId: to.accountId, clientMessageId, body: Buffer.from(body) };
  socket.call(1, SEND, SendMessageRequest.encode(request).finish());
  for (;;) {
    const incoming = await socket.next();
    const kind = "bytes" in incoming ? ServerFrame.decode(incoming.bytes).kind : undefined;
    if (kind !== undefined) {
      const { code, response } = kind.value;
      return code === 0 ? SendMessageResponse.decode(response).state : undefined;
    }
  }
}

/** Sends until it is accepted. */
export async function sendSurely(socket: TestSocket, to: Person, body: string): Promise<void> {
  const id = newUuid();
  while ((await send(socket, to, body, id)) === undefined) {
    await new Promise((next) => setImmediate(next));
  }
}

/** The body of the next event, which is a message. */
export async function nextBody(socket: TestSocket): Promise<string> {
  const event = await socket.nextEvent();
  return Buffer.from(String(event["message"]?.["body"]), "base64").toString();
}

function keyOf(token: Uint8Array): string {
  return Buffer.from(token).toString("base64");
}
