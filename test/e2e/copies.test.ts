import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { initKeys } from "../../platform/keys/rotation.ts";
import { Disposables } from "../../platform/lifecycle.ts";
import { parseExposition, readValue } from "../support/exposition.ts";
import { freshDatabaseUri } from "../support/mongod.ts";
import { PlainCallers } from "../support/plain-callers.ts";
import { type RoleProcess, startRoleProcess } from "../support/role-process.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

type ServiceRole = "account" | "chat";

const ROUNDS = 2;
const CALLERS = 8;

/** A stack with room for a second copy of each service. */
interface Scene extends AsyncDisposable {
  readonly stack: Stack;
  /** Starts the second copy of a service; resolves once the gateway sends calls there. */
  readonly startSecond: (role: ServiceRole) => Promise<RoleProcess>;
}

async function prepare(): Promise<Scene> {
  const parts = new Disposables();
  const folder = await mkdtemp(join(tmpdir(), "sallyport-copies-"));
  parts.defer(() => rm(folder, { recursive: true }));
  await initKeys(join(folder, "keys"));
  const socket = (name: string): string => `unix:${join(folder, name)}`;
  const env = {
    MONGODB_URI: freshDatabaseUri(),
    SALLYPORT_KEYS_DIR: join(folder, "keys"),
    ACCOUNT_LISTEN: socket("account"),
    CHAT_LISTEN: socket("chat"),
    ACCOUNT_TARGETS: `${socket("account")},${socket("account2")}`,
    CHAT_TARGETS: `${socket("chat")},${socket("chat2")}`,
    ACCOUNT_DEV_LOGIN: "on",
  };
  const stack = parts.use(await startStack({ env }));
  const startSecond = async (role: ServiceRole): Promise<RoleProcess> => {
    const copy = parts.use(await startRoleProcess(role, { ...env, [`${role.toUpperCase()}_LISTEN`]: socket(`${role}2`) }));
    await serving(stack, role, 2);
    return copy;
  };
  return { stack, startSecond, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
}

/** Waits until the gateway sends calls to so many copies. */
async function serving({ adminUrl }: Stack, service: ServiceRole, copies: number): Promise<void> {
  const read = async (): Promise<number | undefined> => {
    const text = await (await fetch(`${adminUrl}/metrics`)).text();
    return readValue(parseExposition(text), "sallyport_copies_serving", { role: "gateway", service });
  };
  while ((await read()) !== copies) {
    await new Promise(setImmediate);
  }
}

describe("a second copy of each service", () => {
  it("joins and leaves while people call without repeating anything: no call fails", async function () {
    this.timeout(120_000);
    await using scene = await prepare();
    await using callers = await PlainCallers.start(scene.stack.httpUrl, CALLERS);

    for (let round = 0; round < ROUNDS; round += 1) {
      for (const role of ["chat", "account"] as const) {
        const copy = await scene.startSecond(role);
        await callers.acceptMore(200);
        copy.child.kill("SIGTERM");
        expect(await copy.ended).to.equal(0);
        await callers.acceptMore(50);
      }
    }
    await callers.stop();

    expect(Object.fromEntries(callers.outcomes)).to.deep.equal({ OK: callers.accepted.length });
  });

  it("takes over from the first and gives back: what people write to each other meanwhile arrives once", async function () {
    this.timeout(120_000);
    await using scene = await prepare();
    await using traffic = await Traffic.start(scene.stack.httpUrl, CALLERS);
    let isOver = false;
    const sending = (async () => {
      while (!isOver) {
        await traffic.send(1);
      }
    })();

    for (let round = 0; round < ROUNDS; round += 1) {
      const copy = await scene.startSecond("chat");
      copy.child.kill("SIGTERM");
      expect(await copy.ended).to.equal(0);
    }
    isOver = true;
    await sending;

    expect(await traffic.settle(30_000)).to.deep.include({ lost: [], duplicated: [], failed: [], loggedOut: [] });
  });
});
