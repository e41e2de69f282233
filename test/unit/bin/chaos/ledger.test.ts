import { expect } from "chai";
import { type Acceptance, type IntendedMessage, Ledger } from "../../../../bin/chaos/ledger.ts";
import { faultsOf, type Suspect, type Verdict } from "../../../../bin/chaos/verdict.ts";
import type { ReceivedMessage } from "../../../../client/event.ts";

const NOBODY: ReadonlySet<string> = new Set();
const AT = new Date(1_700_000_000_000);

function intended(clientMessageId: string, recipientId = "bob"): IntendedMessage {
  return { senderId: "alice", recipientId, clientMessageId, body: Buffer.from(`body of ${clientMessageId}`) };
}

function acceptance({ clientMessageId }: IntendedMessage, isDelivered = false): Acceptance {
  return { messageId: `id of ${clientMessageId}`, sentAt: AT, receipt: "receipt", isDelivered };
}

function received({ senderId, clientMessageId, body }: IntendedMessage): ReceivedMessage {
  return { id: `id of ${clientMessageId}`, clientMessageId, senderAccountId: senderId, sentAt: AT, body, receipt: "receipt" };
}

function suspect({ senderId, recipientId, clientMessageId }: IntendedMessage): Suspect {
  return { senderId, recipientId, clientMessageId };
}

/** A ledger in which some messages were sent, accepted, and have arrived once, all in order. */
function ledgerOf(...messages: readonly IntendedMessage[]): Ledger {
  const ledger = new Ledger();
  for (const message of messages) {
    ledger.intend(message);
    ledger.accept(message, acceptance(message));
    ledger.receive(message.recipientId, 0, received(message));
    ledger.state(message, "delivered");
  }
  return ledger;
}

function judged(ledger: Ledger, away: ReadonlySet<string> = NOBODY): Verdict {
  return ledger.verdict(away);
}

describe("the ledger of what clients saw", () => {
  it("finds no fault with messages that were accepted, arrived once and are delivered", () => {
    const verdict = judged(ledgerOf(intended("1"), intended("2")));

    expect(verdict).to.include({ accepted: 2, delivered: 2, pending: 0, inDoubt: 0, restamped: 0 });
    expect(faultsOf(verdict)).to.deep.equal([]);
  });

  it("takes a message for lost that was accepted and never arrived", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));
    ledger.accept(intended("1"), acceptance(intended("1")));

    expect(judged(ledger).lost).to.deep.equal([suspect(intended("1"))]);
    expect(ledger.unsettled(NOBODY)).to.deep.equal([suspect(intended("1"))]);
  });

  it("takes it for pending when its recipient stays away, and has the server say so", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));
    ledger.accept(intended("1"), acceptance(intended("1")));

    const unasked = judged(ledger, new Set(["bob"]));
    ledger.state(intended("1"), "pending");
    const asked = judged(ledger, new Set(["bob"]));

    expect(unasked).to.deep.include({ pending: 1, lost: [], misstated: [suspect(intended("1"))] });
    expect(asked).to.deep.include({ pending: 1, lost: [], misstated: [] });
  });

  it("takes a send without an answer for neither accepted nor failed", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));

    expect(judged(ledger)).to.deep.include({ accepted: 0, inDoubt: 1, lost: [], failed: {} });
    expect(faultsOf(judged(ledger))).to.deep.equal(["in doubt: 1"]);
  });

  it("counts refusals by what was answered", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));
    ledger.refuse(intended("1"), "SendMessage NOT_FOUND RECIPIENT_NOT_FOUND");
    ledger.fail("ListPending INTERNAL UNKNOWN");
    ledger.fail("ListPending INTERNAL UNKNOWN");

    const verdict = judged(ledger);

    expect(verdict.failed).to.deep.equal({ "SendMessage NOT_FOUND RECIPIENT_NOT_FOUND": 1, "ListPending INTERNAL UNKNOWN": 2 });
    expect(verdict.inDoubt).to.equal(0);
    expect(faultsOf(verdict)).to.have.length(2);
  });

  it("takes a message for contradicted that was refused and arrives all the same, before or after", () => {
    const ledger = new Ledger();
    const [before, after, never] = [intended("1"), intended("2"), intended("3")];
    for (const message of [before, after, never]) {
      ledger.intend(message);
    }
    ledger.receive("bob", 1, received(before));
    for (const message of [before, after, never]) {
      ledger.refuse(message, "SendMessage NOT_FOUND RECIPIENT_NOT_FOUND");
    }
    ledger.receive("bob", 1, received(after));

    expect(judged(ledger).contradicted).to.deep.equal([suspect(before), suspect(after)]);
    expect(faultsOf(judged(ledger))).to.include("contradicted: 2");
  });

  it("finds fault with an app that was not looked into at the end", () => {
    const ledger = ledgerOf(intended("1"));
    ledger.leaveUnchecked();

    expect(faultsOf(judged(ledger))).to.deep.equal(["unchecked: 1"]);
  });

  it("finds a state that contradicts what happened", () => {
    const ledger = ledgerOf(intended("1"));
    ledger.state(intended("1"), "pending");

    expect(judged(ledger).misstated).to.deep.equal([suspect(intended("1"))]);
  });
});

describe("a message that comes twice", () => {
  it("is a duplicate in one run of an app", () => {
    const ledger = ledgerOf(intended("1"));

    ledger.receive("bob", 0, received(intended("1")));

    expect(judged(ledger).duplicated).to.deep.equal([{ ...suspect(intended("1")), how: "to one app" }]);
  });

  it("is none in a later run while its acknowledgement may have been lost", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));
    ledger.accept(intended("1"), acceptance(intended("1")));
    ledger.receive("bob", ledger.beginWay(), received(intended("1")));

    ledger.receive("bob", ledger.beginWay(), received(intended("1")));

    expect(judged(ledger).duplicated).to.deep.equal([]);
  });

  it("is none in a run that had begun before the server said that it was delivered", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));
    const [former, latter] = [ledger.beginWay(), ledger.beginWay()];
    ledger.receive("bob", former, received(intended("1")));
    ledger.accept(intended("1"), acceptance(intended("1"), true));

    ledger.receive("bob", latter, received(intended("1")));

    expect(judged(ledger).duplicated).to.deep.equal([]);
  });

  const WORDS: Readonly<Record<string, (ledger: Ledger) => void>> = {
    "the answer to its send": (ledger) => ledger.accept(intended("1"), acceptance(intended("1"), true)),
    "an event, or the answer to an acknowledgement": (ledger) => ledger.deliver(intended("1")),
    "its state": (ledger) => ledger.state(intended("1"), "delivered"),
  };
  for (const [word, say] of Object.entries(WORDS)) {
    it(`is a duplicate in a run that began after the server had said so by ${word}`, () => {
      const ledger = new Ledger();
      ledger.intend(intended("1"));
      ledger.receive("bob", ledger.beginWay(), received(intended("1")));
      say(ledger);

      ledger.receive("bob", ledger.beginWay(), received(intended("1")));

      expect(judged(ledger).duplicated).to.deep.equal([{ ...suspect(intended("1")), how: "known to be delivered" }]);
    });
  }

  it("is a duplicate under another id", () => {
    const ledger = ledgerOf(intended("1"));

    ledger.receive("bob", ledger.beginWay(), { ...received(intended("1")), id: "another" });

    expect(judged(ledger).duplicated).to.deep.equal([{ ...suspect(intended("1")), how: "under another id" }]);
  });
});

describe("a message that is not as it was sent", () => {
  const CHANGES: Readonly<Record<string, Partial<ReceivedMessage>>> = {
    "another body": { body: Buffer.from("another") },
    "another receipt than its send was answered with": { receipt: "another" },
    "another time than its send was answered with": { sentAt: new Date(AT.getTime() + 1) },
    "another sender": { senderAccountId: "mallory" },
    "the id of none that was sent": { clientMessageId: "none" },
  };
  for (const [change, fields] of Object.entries(CHANGES)) {
    it(`is altered: ${change}`, () => {
      const ledger = new Ledger();
      ledger.intend(intended("1"));
      ledger.accept(intended("1"), acceptance(intended("1")));

      ledger.receive("bob", 1, { ...received(intended("1")), ...fields });

      expect(judged(ledger).altered).to.have.length(1);
    });
  }

  it("is altered when somebody else gets it", () => {
    const ledger = ledgerOf(intended("1"));

    ledger.receive("carol", 1, received(intended("1")));

    expect(judged(ledger).altered).to.deep.equal([{ ...suspect(intended("1")), recipientId: "carol" }]);
  });

  it("may have another time and receipt before its send is answered, and its own body only", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));
    ledger.receive("bob", 1, { ...received(intended("1")), receipt: "of a process that died" });
    ledger.accept(intended("1"), acceptance(intended("1")));

    expect(judged(ledger)).to.deep.include({ altered: [], restamped: 1 });
  });

  it("is altered without a receipt, whatever its send is answered with", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));
    ledger.receive("bob", 1, { ...received(intended("1")), receipt: "" });

    expect(judged(ledger).altered).to.deep.equal([suspect(intended("1"))]);
  });

  it("is altered when its send is answered with another id", () => {
    const ledger = new Ledger();
    ledger.intend(intended("1"));
    ledger.receive("bob", 1, { ...received(intended("1")), id: "another" });
    ledger.accept(intended("1"), acceptance(intended("1")));

    expect(judged(ledger).altered).to.deep.equal([suspect(intended("1"))]);
  });
});

describe("messages of one sender to one recipient", () => {
  it("are out of order when one comes after a later one", () => {
    const ledger = new Ledger();
    const messages = [intended("1"), intended("2"), intended("3")];
    for (const message of messages) {
      ledger.intend(message);
      ledger.accept(message, acceptance(message));
    }
    for (const place of [0, 2, 1]) {
      ledger.receive("bob", 1, received(messages[place] as IntendedMessage));
    }

    expect(judged(ledger).disordered).to.deep.equal([suspect(intended("2"))]);
  });

  it("are in order whatever comes again, is refused, or goes to others", () => {
    const ledger = ledgerOf(intended("1"), intended("2"), intended("3", "carol"));
    ledger.receive("bob", ledger.beginWay(), received(intended("1")));
    const refused = intended("4");
    ledger.intend(refused);
    ledger.intend(intended("5"));
    ledger.accept(intended("5"), acceptance(intended("5")));
    ledger.receive("bob", 0, received(intended("5")));
    ledger.receive("bob", 0, received(refused));
    ledger.refuse(refused, "SendMessage NOT_FOUND RECIPIENT_NOT_FOUND");

    expect(judged(ledger).disordered).to.deep.equal([]);
  });
});

describe("a connection that is displaced", () => {
  /** Alice's connection 1 has stood since 0. */
  const standing = (ledger: Ledger): ReturnType<Ledger["openSocket"]> => {
    const socket = ledger.openSocket("alice", 1, 0);
    socket.exchanged(10);
    return socket;
  };

  it("has a newer one to thank, also one that has just ended", () => {
    const ledger = new Ledger(1_000);
    const older = standing(ledger);
    const newer = ledger.openSocket("alice", 2, 20);
    newer.exchanged(30);
    newer.ended(100);

    older.displaced(1_100);

    expect(judged(ledger).ghostDisplaced).to.deep.equal([]);
  });

  it("met a ghost when nobody else is there", () => {
    const ledger = new Ledger(1_000);
    ledger.openSocket("bob", 2, 20).exchanged(30);

    standing(ledger).displaced(40);

    expect(judged(ledger).ghostDisplaced.map(({ account }) => account)).to.deep.equal(["alice"]);
  });

  it("met a ghost when the newer one is long gone", () => {
    const ledger = new Ledger(1_000);
    const older = standing(ledger);
    ledger.openSocket("alice", 2, 20).ended(100);

    older.displaced(1_101);

    expect(judged(ledger).ghostDisplaced).to.have.length(1);
  });

  it("met a ghost when it is a socket that its own connection has lost", () => {
    const ledger = new Ledger(1_000);
    const before = ledger.openSocket("alice", 1, 0);
    before.ended(20);
    const after = ledger.openSocket("alice", 1, 30);
    after.exchanged(40);

    after.displaced(50);

    expect(judged(ledger).ghostDisplaced).to.have.length(1);
  });

  it("met an older one that took the events back", () => {
    const ledger = new Ledger(1_000);
    standing(ledger);
    const newer = ledger.openSocket("alice", 2, 20);
    newer.exchanged(30);

    newer.displaced(40);

    expect(judged(ledger).ghostDisplaced).to.deep.equal([{ account: "alice", reason: "displaced by an older connection" }]);
  });

  it("is told so once, and not after its end", () => {
    const ledger = new Ledger(1_000);
    const twice = standing(ledger);
    twice.displaced(40);
    twice.displaced(50);
    const ended = ledger.openSocket("bob", 2, 0);
    ended.ended(10);
    ended.displaced(20);

    expect(judged(ledger).ghostDisplaced).to.have.length(1);
  });
});
