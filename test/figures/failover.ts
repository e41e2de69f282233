import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Layout } from "../../bin/chaos/layout.ts";
import { stepDown } from "../../bin/mongod/member-set.ts";
import { StatusCode } from "../../platform/errors.ts";
import { RetryInfo } from "../../proto/gen/google/rpc/error_details.ts";
import { chatService } from "../../proto/gen/policy/services.ts";
import type { Reply } from "../../proto/gen/sallyport/gateway/v1/frames.ts";
import { connectAndConfirm, logIn, type Person } from "../support/people.ts";
import type { RawSocket } from "../support/raw-socket.ts";
import { describe } from "./sample.ts";

const PEOPLE = 50;
const TIMES = 3;
const PAUSE_MS = 20_000;
/** Between an answer and the next call. */
const THINK_MS = 100;

/** What becomes of the primary. Answers how to undo it. */
type Blow = (primary: { readonly pid: number; readonly port: number }) => Promise<() => void>;

const BLOWS: Readonly<Record<string, Blow>> = {
  "kill -9": async ({ pid }) => {
    process.kill(pid, "SIGKILL");
    return () => undefined;
  },
  [`SIGSTOP for ${PAUSE_MS / 1000} s`]: async ({ pid }) => {
    process.kill(pid, "SIGSTOP");
    return () => process.kill(pid, "SIGCONT");
  },
  replSetStepDown: async ({ port }) => {
    await stepDown(port, 10);
    return () => undefined;
  },
};

/** From a blow to the primary to the first message that is accepted again, and what clients were answered meanwhile. */
export async function measureFailover(layout: Layout): Promise<string> {
  const lines: string[] = [];
  for (const [name, strike] of Object.entries(BLOWS)) {
    const resumed: number[] = [];
    const answers = new Map<string, number>();
    let closed = 0;
    for (let time = 0; time < TIMES; time += 1) {
      await layout.ready();
      closed += await strikeUnderCalls(layout, strike, resumed, answers);
    }
    const seen = [...answers].map(([answer, count]) => `${count} × ${answer}`).join(", ");
    lines.push(`${name}: writes resume after: ${describe(resumed)}; answers: ${seen}; sockets closed: ${closed} of ${TIMES * PEOPLE}`);
  }
  return lines.join("\n");
}

async function strikeUnderCalls(
  { gatewayUrls, database }: Layout,
  strike: Blow,
  resumed: number[],
  answers: Map<string, number>,
): Promise<number> {
  const people = await Promise.all(Array.from({ length: PEOPLE }, (_, index) => enter(gatewayUrls[index % gatewayUrls.length] ?? "")));
  const primary = await database.primary();
  const over = new AbortController();
  let struckAt = Number.POSITIVE_INFINITY;
  let accept: (at: number) => void = () => undefined;
  const accepted = new Promise<number>((resolve) => {
    accept = resolve;
  });
  const calling = people.map(async ({ socket, accountId }, index) => {
    for (let id = 1; !over.signal.aborted; id += 1) {
      const [sentAt, reply] = [performance.now(), await send(socket, id, people[index ^ 1]?.accountId ?? accountId)];
      const answer = nameOf(reply);
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
      if (reply.code === StatusCode.OK && sentAt > struckAt) {
        accept(performance.now());
      }
      await sleep(THINK_MS);
    }
  });

  const undo = await strike({ pid: primary?.pid() ?? Number.NaN, port: primary?.port ?? 0 });
  struckAt = performance.now();
  const undone = sleep(PAUSE_MS).then(undo);
  resumed.push((await accepted) - struckAt);
  await undone;
  over.abort();
  await Promise.all(calling);
  const closed = people.filter(({ socket }) => socket.socket.readyState !== socket.socket.OPEN).length;
  for (const { socket } of people) {
    socket.cut();
  }
  return closed;
}

async function enter(url: string): Promise<Person & { socket: RawSocket }> {
  const person = await logIn(url);
  const { socket } = await connectAndConfirm(url, "chat", person.tokens.chat.refreshToken);
  return { ...person, socket };
}

/** To a recipient who acknowledges nothing: each message is written on a majority before it is answered. */
function send(socket: RawSocket, id: number, recipientAccountId: string): Promise<Reply> {
  const { path, request } = chatService.methods.sendMessage;
  const message = request.encode({ recipientAccountId, clientMessageId: randomUUID(), body: Buffer.from("through it") }).finish();
  socket.sendFrame({ $case: "call", value: { id, method: path, request: Buffer.from(message), timeoutMs: 0 } });
  return socket.replyTo(id);
}

function nameOf({ code, details }: Reply): string {
  const name = Object.entries(StatusCode).find(([, value]) => value === code)?.[0] ?? `code ${code}`;
  const hint = details.find(({ typeUrl }) => typeUrl.endsWith("google.rpc.RetryInfo"));
  const delay = hint && RetryInfo.decode(hint.value).retryDelay;
  return code === StatusCode.OK ? name : `${name} ${delay === undefined ? "without" : "with"} a retry hint`;
}
