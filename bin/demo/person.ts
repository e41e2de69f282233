import { randomBytes } from "node:crypto";
import { type Client, createClient } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import type { ConnectionEvent, ReceivedMessage } from "../../client/event.ts";
import { memoryTokenStore, type TokenStore } from "../../client/token-store.ts";
import { tapWire, type WireTap } from "./wire-tap.ts";

/** Somebody with an app of their own. */
export interface Person {
  readonly name: string;
  readonly accountId: string;
  readonly client: Client;
  readonly store: TokenStore;
  readonly tap: WireTap;
}

/** Logs somebody in under a new name that begins with the given one. */
export async function logIn(url: string, firstName: string): Promise<Person> {
  const tap = tapWire();
  const client = createClient({ url, surroundings: tap.surroundings });
  const store = memoryTokenStore();
  const name = `${firstName}-${randomBytes(3).toString("hex")}`;
  const { accountId } = await client.login({ dev: { name } }, store, { client: { platform: "demo", version: "1" } });
  return { name, accountId, client, store, tap };
}

/** Handles one message, which acknowledges it, and resolves to it. */
export async function handleOne(connection: Connection): Promise<ReceivedMessage> {
  const enough = new AbortController();
  const messages: ReceivedMessage[] = [];
  await connection.eachMessage((message) => {
    messages.push(message);
    enough.abort();
  }, enough.signal);
  const [message] = messages;
  if (message === undefined) {
    throw new Error(`the connection ended: ${(await connection.ended).meaning}`);
  }
  return message;
}

/** Resolves at the first event, from this call on, that is the one that is waited for. */
export async function heard(connection: Connection, isIt: (event: ConnectionEvent) => boolean): Promise<void> {
  for await (const event of connection.events()) {
    if (isIt(event)) {
      return;
    }
  }
  throw new Error(`the connection ended: ${(await connection.ended).meaning}`);
}
