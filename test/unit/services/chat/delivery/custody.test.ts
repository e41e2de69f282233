import { expect } from "chai";
import { Custody, type CustodyParts } from "../../../../../services/chat/delivery/custody.ts";
import { Unreadable } from "../../../../../services/chat/delivery/unreadable.ts";
import type { InboxKey } from "../../../../../services/chat/store/inbox.ts";

describe("forgetting many messages at once", () => {
  it("asks the database for at most 1000 at a time, and for each", async () => {
    const asked: (readonly InboxKey[])[] = [];
    const custody = custodyWith((keys) => asked.push(keys));
    const ids = Array.from({ length: 3_400 }, (_, index) => `${index}`);

    const unknown = await Promise.all(["r", "s"].map((recipientId) => custody.forget(recipientId, ids)));

    expect(unknown).to.deep.equal([ids, ids]);
    expect(Math.max(...asked.map(({ length }) => length))).to.equal(1_000);
    expect(asked.flat().map(({ recipientId, id }) => `${recipientId}${id}`)).to.deep.equal([
      ...ids.map((id) => `r${id}`),
      ...ids.map((id) => `s${id}`),
    ]);
  });
});

describe("the unreadable messages", () => {
  it("are reported once each, and again when they had been readable in between", () => {
    const reported: string[] = [];
    const unreadable = new Unreadable((id) => reported.push(id));

    for (const id of ["a", "b", "a", "a"]) {
      unreadable.add(id, new Error("no key"));
    }
    unreadable.drop("a");
    unreadable.add("a", new Error("no key"));

    expect(reported).to.deep.equal(["a", "b", "a"]);
    expect(unreadable.size).to.equal(2);
  });
});

function custodyWith(findHeadings: (keys: readonly InboxKey[]) => void): Custody {
  const inbox = {
    findHeadings: async (keys: readonly InboxKey[]) => {
      findHeadings(keys);
      return [];
    },
  };
  return new Custody({ inbox } as unknown as CustodyParts);
}
