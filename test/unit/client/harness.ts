import { Connection } from "../../../client/connection.ts";
import { nodeSurroundings } from "../../../client/node.ts";
import type { SeenMessages } from "../../../client/seen-messages.ts";
import type { OpenSocket } from "../../../client/socket.ts";
import type { Surroundings } from "../../../client/surroundings.ts";
import type { TokenStore } from "../../../client/token-store.ts";
import type { ServiceName } from "../../../proto/method.ts";
import { ManualTimers } from "./manual-timers.ts";
import { type ScriptedServer, type ScriptedSocket, scriptedServer } from "./scripted-server.ts";
import { accessToken, refreshToken, storeWith } from "./tokens.ts";

/** A connection to a scripted server, its timers and clock in the test's hands. */
export interface Harness extends AsyncDisposable {
  readonly server: ScriptedServer;
  readonly store: TokenStore;
  readonly timers: ManualTimers;
  readonly clock: { now: number };
  readonly connection: Connection;
  /** Resolves when the client has noticed the end of its first socket. */
  readonly noticedEnd: Promise<void>;
}

/** How a harness differs from the default: services "chat", a store in memory that holds token 1 of each, `random` always 0.5. */
export interface HarnessOptions {
  readonly services?: readonly ServiceName[];
  readonly store?: TokenStore;
  readonly seen?: SeenMessages;
  readonly server?: ScriptedServer;
}

/** Starts a scripted server, and a connection to it. */
export async function startHarness({ services = ["chat"], ...options }: HarnessOptions = {}): Promise<Harness> {
  const server = options.server ?? (await scriptedServer());
  const store = options.store ?? (await storeWith({ account: refreshToken(1), chat: refreshToken(1) }));
  const timers = new ManualTimers();
  const clock = { now: 1_000_000 };
  let notice = (): void => undefined;
  const noticedEnd = new Promise<void>((resolve) => {
    notice = resolve;
  });
  const node = nodeSurroundings();
  const openSocket: OpenSocket = (url, listener) =>
    node.openSocket(url, {
      opened: () => listener.opened(),
      binary: (bytes) => listener.binary(bytes),
      text: (text) => listener.text(text),
      closed: (code, reason) => {
        listener.closed(code, reason);
        notice();
      },
    });
  const surroundings: Surroundings = { ...node, openSocket, after: timers.after, now: () => clock.now, random: () => 0.5 };
  const setup = { surroundings, baseUrl: server.url, services, store };
  const connection = new Connection(options.seen ? { ...setup, seen: options.seen } : setup);
  return {
    server,
    store,
    timers,
    clock,
    connection,
    noticedEnd,
    [Symbol.asyncDispose]: async () => {
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Takes the next socket of "chat" through its exchange; the new tokens consist of `byte`. The client's confirming frame is not taken. */
export async function serveExchange(server: ScriptedServer, byte: number): Promise<ScriptedSocket> {
  const socket = await server.socket();
  await socket.next();
  socket.send(refreshToken(byte));
  socket.send(accessToken(byte));
  return socket;
}

/** A harness whose first exchange is made and confirmed. */
export async function startConnected(options: HarnessOptions = {}): Promise<Harness & { socket: ScriptedSocket }> {
  const harness = await startHarness(options);
  const socket = await serveExchange(harness.server, 2);
  await socket.nextFrame();
  await harness.connection.ready();
  return { ...harness, socket };
}
