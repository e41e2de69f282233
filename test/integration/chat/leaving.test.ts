import { expect } from "chai";
import { rankCandidates } from "../../../gateway/rendezvous.ts";
import { State } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { nextBody, type Person, send, TwoByTwo, until } from "./two-by-two.ts";

const NEVER_MS = 3_600_000;

describe("a chat copy that stops", () => {
  it("stores what lingers, and answers its sender, before it is gone", async () => {
    await using scene = await TwoByTwo.start({ healMs: NEVER_MS, lingerMs: NEVER_MS });
    const here = await scene.gateway(scene.targets, 1);
    const sender = await scene.open(here, scene.invite());
    const people = Array.from({ length: 12 }, () => scene.invite());
    const sockets = await Promise.all(people.map((person) => scene.open(here, person)));
    const first = await scene.copyOf(people[0] as Person);
    await scene.startSecondCopy();
    const second = await newCopyOf(scene, people, first);
    const index = people.findIndex(({ accountId }) => rankCandidates(accountId, [first, second])[0] === first);
    const recipient = people[index] as Person;

    const sending = send(sender, recipient, "lingers");
    const socket = sockets[index] ?? expect.fail("nobody is attached to the first copy");
    const pushed = await nextBody(socket);
    const stopped = scene.stack.stopService();
    const state = await sending;
    await stopped;
    const stored = await scene.stack.documents("inbox");

    expect([pushed, state]).to.deep.equal(["lingers", State.STORED]);
    expect(stored.map(({ recipientId }) => recipientId)).to.deep.equal([recipient.accountId]);
  });
});

/** The copy that somebody has moved to. */
async function newCopyOf(scene: TwoByTwo, people: readonly Person[], first: string): Promise<string> {
  let found: string | undefined;
  await until(async () => {
    found = (await Promise.all(people.map((person) => scene.copyOf(person)))).find((copy) => copy !== first);
    return found !== undefined;
  });
  return found ?? "";
}
