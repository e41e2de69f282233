import { join } from "node:path";
import { expect } from "chai";
import { type Client, createClient } from "../../client/client.ts";
import type { Connection } from "../../client/connection.ts";
import { nodeSurroundings } from "../../client/node.ts";
import { RESERVE } from "../../client/retry-budget.ts";
import { memoryTokenStore } from "../../client/token-store.ts";
import { chatService } from "../../proto/gen/policy/services.ts";
import { parseExposition } from "../support/exposition.ts";
import { startGatewayBeside } from "../support/gateway-process.ts";
import { type Stack, startStack } from "../support/stack.ts";

const PEOPLE = 50;
const ROUNDS = 60;
const ROUND_MS = 200;
/** The service is stopped before the first of these rounds, and goes on before the second. */
const [STOPPED_AT, CONTINUED_AT] = [10, 40];
/** How long a call, with its repeats, may take. */
const CALL_MS = 90_000;

async function connectOne(client: Client): Promise<Connection> {
  const store = memoryTokenStore();
  await client.login({ dev: { name: crypto.randomUUID() } }, store);
  const connection = client.connect(["chat"], { store });
  await connection.ready();
  return connection;
}

/** What everybody's calls came to, made whatever became of those before: "answered", or what they failed with. */
async function callInRounds(connections: readonly Connection[], beforeRound: (round: number) => void): Promise<readonly string[]> {
  const calls: Promise<string>[] = [];
  await new Promise<void>((resolve) => {
    let round = 0;
    const timer = setInterval(() => {
      beforeRound(round);
      for (const { chat } of connections) {
        calls.push(chat.listBlockedAccounts({}, { timeoutMs: CALL_MS }).then(() => "answered", String));
      }
      round += 1;
      if (round === ROUNDS) {
        clearInterval(timer);
        resolve();
      }
    }, ROUND_MS);
  });
  return Promise.all(calls);
}

/** How many calls a gateway has answered, as it counts itself. */
async function countAttempts(adminUrl: string): Promise<number> {
  const families = parseExposition(await (await fetch(`${adminUrl}/metrics`)).text());
  const path = chatService.methods.listBlockedAccounts.path;
  const samples = families.get("sallyport_calls_total")?.samples ?? [];
  return samples.filter(({ labels }) => Object.values(labels).includes(path)).reduce((sum, { value }) => sum + value, 0);
}

describe("a chat service of which one copy hangs and the other is dead", () => {
  let stack: Stack;

  before(async () => {
    stack = await startStack();
  });

  after(() => stack[Symbol.asyncDispose]());

  it("gets at most 1.2 attempts for each call and the reserve, and answers all of them once it goes on", async function () {
    this.timeout(180_000);
    const dead = `unix:${join(stack.dataDirectory, "dead.sock")}`;
    await using gateway = await startGatewayBeside(stack, { CHAT_TARGETS: `${stack.chatTarget},${dead}` });
    const client = createClient({ url: gateway.httpUrl, surroundings: nodeSurroundings() });
    const connections = await Promise.all(Array.from({ length: PEOPLE }, () => connectOne(client)));
    const chat = await stack.pidOf("chat");

    const outcomes = await callInRounds(connections, (round) => {
      if (round === STOPPED_AT || round === CONTINUED_AT) {
        process.kill(chat, round === STOPPED_AT ? "SIGSTOP" : "SIGCONT");
      }
    });
    const attempts = await countAttempts(gateway.adminUrl);
    await Promise.all(connections.map((connection) => connection.close()));

    expect(new Set(outcomes)).to.deep.equal(new Set(["answered"]));
    expect(attempts).to.be.at.least(outcomes.length);
    expect(attempts).to.be.at.most(1.2 * outcomes.length + RESERVE);
  });
});
