import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { unavailable } from "../../../platform/errors.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { createLogger } from "../../../platform/logger.ts";
import { implement } from "../../../platform/rpc/call.ts";
import { startRpcServer } from "../../../platform/rpc/server.ts";
import { erasureService } from "../../../proto/gen/policy/services.ts";
import { openChatErasure } from "../../../services/account/chat-erasure.ts";
import { reasonOf } from "./bench.ts";

/** A chat copy that notes what it is told to erase, unless it is out of order. */
async function startCopy(stack: Disposables, directory: string, isBroken: () => boolean = () => false): Promise<[string, string[]]> {
  const erased: string[] = [];
  const implementations = implement(erasureService, {
    eraseAccount: ({ accountId }) => {
      if (isBroken()) {
        throw unavailable("out of order", "OUT_OF_ORDER");
      }
      erased.push(accountId);
      return {};
    },
  });
  const observer = { gatewayJoined: () => undefined, gatewayLeft: () => undefined };
  const listen = `unix:${join(directory, randomUUID().slice(0, 8))}`;
  stack.use(await startRpcServer({ listen, implementations, observer }, createLogger("test", "silent")));
  return [listen, erased];
}

async function prepare(stack: Disposables): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "chat-copies-"));
  stack.defer(() => rm(directory, { recursive: true }));
  return directory;
}

describe("the erasure in chat", () => {
  it("is done by one copy, whichever answers", async () => {
    await using stack = new Disposables();
    const directory = await prepare(stack);
    const [broken] = await startCopy(stack, directory, () => true);
    const [answering, erased] = await startCopy(stack, directory);
    const chat = openChatErasure([broken, `unix:${join(directory, "nobody")}`, answering]);
    stack.defer(() => chat[Symbol.dispose]());
    const accounts = [randomUUID(), randomUUID()];

    for (const accountId of accounts) {
      await chat.erase(accountId);
    }

    expect(erased).to.deep.equal(accounts);
  });

  it("is not done when no copy does it, and is done once one can", async () => {
    await using stack = new Disposables();
    const directory = await prepare(stack);
    let isBroken = true;
    const [target, erased] = await startCopy(stack, directory, () => isBroken);
    const chat = openChatErasure([target]);
    stack.defer(() => chat[Symbol.dispose]());
    const accountId = randomUUID();

    const reason = await reasonOf(chat.erase(accountId));
    isBroken = false;
    await chat.erase(accountId);

    expect(reason).to.equal("UNAVAILABLE OUT_OF_ORDER");
    expect(erased).to.deep.equal([accountId]);
  });
});
