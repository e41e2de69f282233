import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Layout } from "../../bin/chaos/layout.ts";
import { chatService } from "../../proto/gen/policy/services.ts";
import { callOn, connectAndConfirm, logIn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { repeat } from "./sample.ts";

const SOCKETS = 1_000;
/** The codes of sockets that the server had no time for. */
const NO_TIME = [4408, 4503];
const BACKOFF_MS = 10_000;

/** What the sockets of one account end in that all exchange their tokens at once, spread over the gateways. */
export async function measureSimultaneous({ gatewayUrls }: Layout): Promise<string> {
  const name = `crowd-${randomUUID()}`;
  const urlOf = (turn: number): string => gatewayUrls[turn % gatewayUrls.length] ?? "";
  const sessions = await repeat(SOCKETS, 20, async (turn) => ({ url: urlOf(turn), person: await logIn(urlOf(turn), name) }));
  const sockets = await Promise.all(sessions.map(({ url }) => RawSocket.open(url, "/connect/chat")));
  const entering = sessions.map(async ({ url, person }, index) => enter(url, person.tokens.chat.refreshToken, sockets[index]));
  const open = await Promise.all(entering);

  // The displaced are closed after 10 s; whoever is left then gets a message.
  const codes: number[] = [];
  const left = new Set(open);
  const messages: RawSocket[] = [];
  await new Promise<void>((resolve) => {
    for (const socket of open) {
      void follow(socket, () => messages.push(socket)).then((code) => {
        codes.push(code);
        left.delete(socket);
        if (codes.length === SOCKETS - 1) {
          resolve();
        }
      });
    }
  });
  await sendTo(sessions[0]?.person.accountId ?? "", urlOf(0));
  const isReached = messages.length === 1 && left.has(messages[0] as RawSocket);
  const count = left.size;
  for (const socket of left) {
    socket.cut();
  }
  const displaced = codes.filter((code) => code === 4409).length;
  return `${SOCKETS} sockets: ${displaced} closed with 4409, ${count} left, which gets a message: ${isReached}`;
}

/** Exchanges a token on a socket; where the server had no time for it, on a new one after a while. */
async function enter(url: string, refreshToken: Buffer, first?: RawSocket): Promise<RawSocket> {
  const socket = first ?? (await RawSocket.open(url, "/connect/chat"));
  socket.send(refreshToken);
  for (let step = 0; step < 2; step += 1) {
    const arrival = await socket.next();
    if ("closed" in arrival) {
      if (!NO_TIME.includes(arrival.closed)) {
        throw new Error(`closed with ${arrival.closed}`);
      }
      await sleep(Math.random() * BACKOFF_MS);
      return enter(url, refreshToken);
    }
  }
  socket.sendFrame({ $case: "keepAlive", value: {} });
  return socket;
}

/** Sends the account a message; resolves when it is answered, which one of its sockets that acknowledges what comes brings about. */
async function sendTo(recipientAccountId: string, url: string): Promise<void> {
  const sender = await logIn(url);
  const { socket } = await connectAndConfirm(url, "chat", sender.tokens.chat.refreshToken);
  const request = { recipientAccountId, clientMessageId: randomUUID(), body: Buffer.from("still here") };
  await callOn(socket, chatService.methods.sendMessage, request);
  socket.cut();
}

/** Hears of each message on a socket, and acknowledges it; resolves with the code of the socket's end. */
async function follow(socket: RawSocket, heard: () => void): Promise<number> {
  for (;;) {
    const arrival = await socket.next();
    if ("closed" in arrival) {
      return arrival.closed;
    }
    if ("text" in arrival && arrival.text.startsWith('{"message"')) {
      const { message } = JSON.parse(arrival.text) as { message: { id: string } };
      heard();
      socket.sendFrame({ $case: "ack", value: { messageIds: [message.id] } });
    }
  }
}
