import { expect } from "chai";
import { write } from "../../bin/chaos/correspondence.ts";
import type { Verdict } from "../../bin/chaos/verdict.ts";
import { heard } from "../../bin/demo/person.ts";
import { nodeSurroundings } from "../../client/node.ts";
import type { Surroundings } from "../../client/surroundings.ts";
import type { Mutation } from "../support/mutated-build.ts";
import { judge, NEVER, newPerson, newWorld, startMutated } from "./controls-scene.ts";

/** Nothing is written down of a message that was delivered before it was stored. */
const WITHOUT_DELIVERED_RECORDS: Mutation = {
  file: "services/chat/store/sends.js",
  text: "return this.#deliveries.add({ ...claim, at });",
  instead: "return Promise.resolve(undefined);",
};

/** Sockets that lose what is answered on them, events aside, until they are cut. */
class LossySockets {
  readonly surroundings: Surroundings;
  readonly #cuts = new Set<() => void>();
  #loses = false;

  constructor() {
    const inner = nodeSurroundings();
    this.surroundings = {
      ...inner,
      openSocket: (url, listener) => {
        const socket = inner.openSocket(url, {
          opened: () => listener.opened(),
          text: (text) => listener.text(text),
          binary: (bytes) => (this.#loses ? undefined : listener.binary(bytes)),
          closed: (code, reason) => {
            this.#cuts.delete(cut);
            listener.closed(code, reason);
          },
        });
        const cut = (): void => socket.close();
        this.#cuts.add(cut);
        return socket;
      },
    };
  }

  loseAnswers(): void {
    this.#loses = true;
  }

  cut(): void {
    this.#loses = false;
    for (const cut of this.#cuts) {
      cut();
    }
  }
}

/** A message is delivered, the answer to its sender is lost, its recipient starts the app anew, and the sender repeats it. */
async function repeatAfterLostAnswer(mutations: readonly Mutation[]): Promise<Verdict> {
  await using stack = await startMutated(mutations);
  const world = newWorld();
  const lossy = new LossySockets();
  await using sender = await newPerson(world, stack.httpUrl, lossy.surroundings);
  await using recipient = await newPerson(world, stack.httpUrl);
  const { connection } = sender.open();
  await Promise.all([connection.ready(), recipient.open().queueEmpty(NEVER)]);
  const delivered = heard(connection, ({ type }) => type === "delivered");

  lossy.loseAnswers();
  const writing = write(sender, recipient.accountId, 64, NEVER);
  await delivered;
  await recipient.close();
  await recipient.open().queueEmpty(NEVER);
  lossy.cut();
  await writing;

  return await judge(world, recipient, sender);
}

describe("a repeat after its answer was lost", () => {
  it("shows as a duplicate when nothing is written down of what was delivered", async function () {
    this.timeout(60_000);

    const verdict = await repeatAfterLostAnswer([WITHOUT_DELIVERED_RECORDS]);

    expect(verdict.accepted).to.equal(1);
    expect(verdict.duplicated).to.have.length(1);
  });

  it("does not as it is", async function () {
    this.timeout(60_000);

    const verdict = await repeatAfterLostAnswer([]);

    expect(verdict).to.deep.include({ accepted: 1, delivered: 1, lost: [], duplicated: [], misstated: [] });
  });
});
