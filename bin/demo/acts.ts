import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CallError } from "../../client/call-error.ts";
import type { Connection } from "../../client/connection.ts";
import type { ReceivedMessage } from "../../client/event.ts";
import type { ServiceName } from "../../proto/method.ts";
import type { DatabaseView } from "./database-view.ts";
import { handleOne, heard, logIn, type Person } from "./person.ts";
import type { Passage } from "./wire-tap.ts";

/** The stage: where the acts print, and the database when they may look into it. */
export interface Stage {
  readonly url: string;
  /** Prints the heading of an act. */
  readonly heading: (line: string) => void;
  /** Prints what happened. */
  readonly say: (line: string) => void;
  readonly database: DatabaseView | undefined;
}

const STATES: Readonly<Record<number, string>> = { 1: "STATE_STORED", 2: "STATE_DELIVERED", 3: "STATE_EXPIRED" };

/** Somebody logs in over HTTP. */
export async function actLogin({ url, say }: Stage, firstName: string): Promise<Person> {
  const person = await logIn(url, firstName);
  say(`${person.name} is account ${person.accountId} (HTTP: ${sizes(person.tap.take())})`);
  return person;
}

/** Somebody connects: the exchange of both tokens, for each service. */
export async function actConnect({ say }: Stage, person: Person, services: readonly ServiceName[]): Promise<Connection> {
  person.tap.take();
  const connection = person.client.connect(services, { store: person.store });
  await Promise.all([connection.ready(), services.includes("chat") && heard(connection, (event) => event.type === "queueEmpty")]);
  const frames = person.tap.take().filter(({ kind }) => kind === "Binary");
  const up = frames.filter(({ way }) => way === "up");
  const down = frames.filter(({ way }) => way === "down");
  services.forEach((service, index) => {
    const [presented, refreshToken, accessToken] = [up[index], down[index * 2], down[index * 2 + 1]];
    say(`${person.name}, ${service} tokens: ${presented?.bytes} bytes up, ${refreshToken?.bytes} down, ${accessToken?.bytes} down`);
  });
  say(`${person.name} has kept the new refresh tokens and confirms them: ${up.at(-1)?.bytes} bytes up`);
  return connection;
}

/** One call each way. */
export async function actCalls({ say }: Stage, person: Person, connection: Connection): Promise<void> {
  person.tap.take();
  const { sessions } = await connection.account.listSessions({}, { via: "http" });
  say(`over HTTP, ListSessions: ${sessions.length} session (${sizes(person.tap.take())})`);
  const { accountId } = await connection.account.getAccount({}, { via: "socket" });
  say(`over the socket, GetAccount: ${accountId} (${sizes(person.tap.take())})`);
}

/** A message to somebody who is there. */
export async function actOnline(stage: Stage, alice: Connection, bob: Person, bobsConnection: Connection): Promise<void> {
  const body = Buffer.from(`are you there? ${randomUUID()}`);
  const [message, { state }] = await Promise.all([
    handleOne(bobsConnection),
    send(alice, bob, body),
    heard(alice, (event) => event.type === "delivered"),
  ]);
  stage.say(`${bob.name} got "${Buffer.from(message.body).toString()}"; the sender was answered ${STATES[state]}`);
  await sayTraces(stage, body);
}

/** A message to somebody who is away. */
export async function actOffline(stage: Stage, alice: Connection, bob: Person): Promise<{ body: Buffer; clientMessageId: string }> {
  const body = Buffer.from(`read this when you are back. ${randomUUID()}`);
  const { messageId, clientMessageId, state } = await send(alice, bob, body);
  stage.say(`the sender was answered ${STATES[state]}`);
  const waiting = await stage.database?.waitingBytes(messageId);
  if (waiting !== undefined) {
    stage.say(`body        ${body.subarray(0, 24).toString("hex")}…`);
    stage.say(
      `in database ${Buffer.from(waiting).subarray(0, 24).toString("hex")}… (${body.equals(waiting) ? "the same!" : "not the same"})`,
    );
  }
  return { body, clientMessageId };
}

/** Who was away comes back, gets the message and acknowledges it. */
export async function actReturn(
  stage: Stage,
  alice: Connection,
  bobsConnection: Connection,
  { body, clientMessageId }: { body: Buffer; clientMessageId: string },
): Promise<ReceivedMessage> {
  const [message] = await Promise.all([
    handleOne(bobsConnection),
    heard(alice, (event) => event.type === "delivered" && event.clientMessageId === clientMessageId),
  ]);
  stage.say(`it came: "${Buffer.from(message.body).toString()}", and is acknowledged`);
  stage.say("the sender heard that it was delivered");
  await sayTraces(stage, body);
  return message;
}

/** A report of a message, and one of a message that was tampered with. */
export async function actReports({ say }: Stage, reporter: Person, connection: Connection, message: ReceivedMessage): Promise<void> {
  const { receipt, body } = message;
  reporter.tap.take();
  const { reportId } = await connection.chat.reportMessages({ reason: "demo", messages: [{ receipt, body }] }, { via: "http" });
  say(`with the message as it came: accepted as report ${reportId} (HTTP: ${sizes(reporter.tap.take())})`);

  const forged = body.toReversed();
  const refusal = await refused(connection.chat.reportMessages({ reason: "demo", messages: [{ receipt, body: forged }] }, { via: "http" }));
  const named = refusal.violations.map(({ field, description }) => `${field} ${description}`);
  say(`with another body: refused, ${refusal.code}: ${named.join("; ")}`);
}

/** What the databases hold. */
export async function sayCounts({ say, database }: Stage): Promise<void> {
  say(database ? `the databases hold: ${(await database.counts()).join(", ")}` : "no MONGODB_URI: no look into the database");
}

async function send(
  connection: Connection,
  recipient: Person,
  body: Uint8Array,
): Promise<{ messageId: string; clientMessageId: string; state: number }> {
  const clientMessageId = randomUUID();
  const { messageId, state } = await connection.chat.sendMessage({ recipientAccountId: recipient.accountId, clientMessageId, body });
  return { messageId, clientMessageId, state };
}

/** The error that a call ends with, which must be refused. */
async function refused(call: Promise<unknown>): Promise<CallError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CallError) {
      return error;
    }
    throw error;
  }
  throw new Error("a forged report was accepted");
}

/** Says whether the body of an acknowledged message is gone. The stored one is removed just after the sender hears of the delivery. */
async function sayTraces({ say, database }: Stage, body: Uint8Array): Promise<void> {
  if (database === undefined) {
    return;
  }
  let traces = await database.tracesOf(body);
  for (let tries = 0; traces.length > 0 && tries < 50; tries += 1) {
    await sleep(20);
    traces = await database.tracesOf(body);
  }
  if (traces.length > 0) {
    throw new Error(`the body of an acknowledged message is still in ${traces.join(", ")}`);
  }
  say("no collection holds its body, in clear or shifted");
}

function sizes(passages: readonly Passage[]): string {
  const counted = passages.filter(({ kind }) => kind !== "Text");
  const sum = (way: Passage["way"]): number =>
    counted.filter((passage) => passage.way === way).reduce((total, { bytes }) => total + bytes, 0);
  return `${sum("up")} bytes up, ${sum("down")} down`;
}
