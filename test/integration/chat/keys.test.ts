import { cp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { newUuid } from "../../../platform/ids.ts";
import type { KeyKind } from "../../../platform/keys/kind.ts";
import { KeyRing } from "../../../platform/keys/ring.ts";
import { initKeys, rotateKeys } from "../../../platform/keys/rotation.ts";
import { ChatStack } from "./chat-stack.ts";
import { as } from "./fake-gateway.ts";

const DAY_MS = 86_400_000;

describe("the chat service and the keys that its data needs", () => {
  it("does not start without the key of a body that waits, and brings the body once the key is back", async () => {
    await using stack = await ChatStack.start({ atRest: "aes-256-gcm" });
    const bob = await sendToSomebody(stack, "waiting");
    const { kid, bringBack } = await retireAndTakeAway(stack, "at-rest");

    const refusal = await tryStart(stack);
    await bringBack();
    await stack.startService();
    const gateway = await stack.gateway();
    const { messages } = await gateway.chat.listPending({ pageSize: 0 }, as(bob));

    expect(refusal).to.include(`keys that data needs are missing: at-rest:${kid}. `);
    expect(messages.map(({ body }) => body.toString())).to.deep.equal(["waiting"]);
  });

  it("needs the key of a report's evidence for as long as there is the report", async () => {
    await using stack = await ChatStack.start({ atRest: "aes-256-gcm" });
    await reportSomething(stack);
    const { kid } = await retireAndTakeAway(stack, "at-rest");
    await ageUses(stack, 1_000);

    const withReport = await tryStart(stack);
    await stack.collection("reports").deleteMany({});
    const without = await tryStart(stack);

    expect(withReport).to.include(`at-rest:${kid}`);
    expect(without).to.equal("started");
  });

  for (const [kind, days] of [
    ["receipt", 365],
    ["digest", 40],
    ["at-rest", 40],
  ] as const) {
    it(`needs the ${kind} key for ${days} days after its last use, whatever its data says`, async () => {
      await using stack = await ChatStack.start({ atRest: "aes-256-gcm" });
      await sendToSomebody(stack, "gone");
      const { kid } = await retireAndTakeAway(stack, kind);
      await stack.collection("inbox").deleteMany({});
      await stack.collection("sends").deleteMany({});

      await ageUses(stack, days - 1);
      const before = await tryStart(stack);
      await ageUses(stack, days + 1);
      const after = await tryStart(stack);

      expect(before).to.include(`${kind}:${kid}`);
      expect(after).to.equal("started");
    });
  }

  it("asks its data which keys it needs when there is no record of them", async () => {
    await using stack = await ChatStack.start({ atRest: "aes-256-gcm" });
    await sendToSomebody(stack, "old");
    await reportSomething(stack);
    await stack.stopService();
    await stack.collection("keyUses").deleteMany({});
    const kids = await Promise.all((["receipt", "digest", "at-rest"] as const).map((kind) => activeKid(stack, kind)));
    await rm(stack.config.keysDir, { recursive: true });
    await initKeys(stack.config.keysDir);

    const refusal = await tryStart(stack);

    for (const [index, kind] of (["receipt", "digest", "at-rest"] as const).entries()) {
      expect(refusal).to.include(`${kind}:${kids[index]}`);
    }
  });

  it("starts without an at-rest key that enciphered nothing", async () => {
    await using stack = await ChatStack.start({ atRest: "caesar" });
    await sendToSomebody(stack, "shifted");
    await retireAndTakeAway(stack, "at-rest");

    expect(await tryStart(stack)).to.equal("started");
  });

  it("is no worse off when new keys were made in place of lost ones: those of the backup are copied over them", async () => {
    await using stack = await ChatStack.start({ atRest: "aes-256-gcm" });
    const bob = await sendToSomebody(stack, "kept");
    await stack.stopService();
    const backup = join(stack.config.keysDir, "..", "backup");
    await cp(stack.config.keysDir, backup, { recursive: true });
    await rm(stack.config.keysDir, { recursive: true });
    await initKeys(stack.config.keysDir);

    const refusals = [await tryStart(stack), await tryStart(stack)];
    await cp(backup, stack.config.keysDir, { recursive: true });
    await stack.startService();
    const gateway = await stack.gateway();
    const { messages } = await gateway.chat.listPending({ pageSize: 0 }, as(bob));

    expect(refusals[0]).to.include("keys that data needs are missing");
    expect(refusals[1]).to.equal(refusals[0]);
    expect(messages.map(({ body }) => body.toString())).to.deep.equal(["kept"]);
  });
});

/** Sends a message that waits, and answers for whom, once the use of the keys is on record. */
async function sendToSomebody(stack: ChatStack, body: string): Promise<string> {
  const gateway = await stack.gateway();
  const [alice, bob] = [stack.invite(), stack.invite()];
  await gateway.send(alice, bob, newUuid(), body);
  await usesNoted(stack);
  return bob;
}

async function reportSomething(stack: ChatStack): Promise<void> {
  const gateway = await stack.gateway();
  const [alice, bob] = [stack.invite(), stack.invite()];
  await gateway.send(alice, bob, newUuid(), "rude");
  const { messages } = await gateway.chat.listPending({ pageSize: 0 }, as(bob));
  const evidence = messages.map(({ receipt, body }) => ({ receipt, body }));
  await gateway.chat.reportMessages({ reason: "", messages: evidence }, as(bob));
  await gateway.chat.ackMessages({ messageIds: messages.map(({ id }) => id) }, as(bob));
  await usesNoted(stack);
}

/** Waits until the use of each key that is used is on record. */
async function usesNoted(stack: ChatStack): Promise<void> {
  const used = stack.config.atRest === "caesar" ? 2 : 3;
  while ((await stack.collection("keyUses").countDocuments({ usedAt: { $exists: true } })) < used) {}
}

/** Stops the service, rotates its keys, and takes the old one of a kind away. */
async function retireAndTakeAway(stack: ChatStack, kind: KeyKind): Promise<{ kid: string; bringBack(): Promise<void> }> {
  await stack.stopService();
  const kid = await activeKid(stack, kind);
  await rotateKeys(stack.config.keysDir);
  const file = join(stack.config.keysDir, `${kind}-${kid}.key`);
  await rename(file, `${file}.away`);
  return { kid, bringBack: () => rename(`${file}.away`, file) };
}

async function activeKid(stack: ChatStack, kind: KeyKind): Promise<string> {
  return (await KeyRing.open(stack.config.keysDir, kind)).active.kid;
}

async function ageUses(stack: ChatStack, days: number): Promise<void> {
  await stack.collection("keyUses").updateMany({ usedAt: { $exists: true } }, { $set: { usedAt: new Date(Date.now() - days * DAY_MS) } });
}

async function tryStart(stack: ChatStack): Promise<string> {
  try {
    await stack.startService();
    await stack.stopService();
    return "started";
  } catch (error) {
    return String(error);
  }
}
