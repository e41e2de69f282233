import { expect } from "chai";
import { EventFlow, MAX_WAITING_BYTES } from "../../../gateway/event-flow.ts";
import type { Event } from "../../../proto/gen/sallyport/gateway/v1/events.ts";

const ID = (index: number): string => `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;

class RecordingSink {
  bufferedBytes = 0;
  readonly sent: string[] = [];
  readonly acknowledged: string[] = [];
  readonly credits: number[] = [];
  displacements = 0;

  send(text: string): void {
    this.sent.push(text);
  }

  acknowledge(ids: readonly string[]): void {
    this.acknowledged.push(...ids);
  }

  credit(bytes: number): void {
    this.credits.push(bytes);
  }

  displaced(): void {
    this.displacements += 1;
  }
}

function attachedFlow(): { sink: RecordingSink; flow: EventFlow } {
  const sink = new RecordingSink();
  const flow = new EventFlow(sink);
  flow.attached(1);
  return { sink, flow };
}

function message(index: number, bytes = 10): Event {
  const body = Buffer.alloc(bytes);
  const value = { id: ID(index), clientMessageId: "", senderAccountId: "", sentAt: undefined, body, receipt: "" };
  return { kind: { $case: "message", value } };
}

describe("the flow of events to a socket", () => {
  it("takes nothing before it is attached, and nothing of another epoch", () => {
    const sink = new RecordingSink();
    const flow = new EventFlow(sink);

    flow.push(1, message(1));
    flow.attached(2);
    flow.push(1, message(1));

    expect(sink.sent).to.deep.equal([]);
  });

  it("sends a message once while it is in flight, and gives credit for both pushes", () => {
    const { sink, flow } = attachedFlow();

    flow.push(1, message(1, 40_000));
    flow.push(1, message(1, 40_000));
    flow.settleCredit();

    expect(sink.sent).to.have.length(1);
    expect(sink.credits).to.deep.equal([80_000]);
  });

  it("answers a push of what was just acknowledged with the acknowledgement", () => {
    const { sink, flow } = attachedFlow();
    flow.push(1, message(1));
    flow.acknowledge([ID(1)]);

    flow.push(1, message(1));

    expect(sink.sent).to.have.length(1);
    expect(sink.acknowledged).to.deep.equal([ID(1)]);
  });

  it("hands on acknowledged ids once, in lower case, and drops what is no id", () => {
    const { flow } = attachedFlow();

    expect(flow.acknowledge([ID(10).toUpperCase(), ID(10), "", "x"])).to.deep.equal([ID(10)]);
  });

  it("holds back while 256 KiB wait, and goes on in order", () => {
    const { sink, flow } = attachedFlow();
    sink.bufferedBytes = MAX_WAITING_BYTES;
    flow.push(1, message(1));
    flow.push(1, message(2));
    const heldBack = sink.sent.length;

    sink.bufferedBytes = 0;
    flow.push(1, message(3));
    flow.flush();

    expect(heldBack).to.equal(0);
    expect(sink.sent.map((text) => JSON.parse(text).message.id)).to.deep.equal([ID(1), ID(2), ID(3)]);
  });

  it("gives credit only for what has left, in steps", () => {
    const { sink, flow } = attachedFlow();
    flow.push(1, message(1, 200_000));

    sink.bufferedBytes = 90_000;
    flow.settleCredit();
    sink.bufferedBytes = 30_000;
    flow.settleCredit();
    sink.bufferedBytes = 0;
    flow.settleCredit();
    flow.settleCredit();

    expect(sink.credits).to.deep.equal([110_000, 90_000]);
  });

  it("sends queueEmpty once, also after it was attached again", () => {
    const { sink, flow } = attachedFlow();
    flow.push(1, { kind: { $case: "queueEmpty", value: {} } });

    const told = flow.beginAttach();
    flow.attached(2);
    flow.push(2, { kind: { $case: "queueEmpty", value: {} } });

    expect(told.queueEmptied).to.equal(true);
    expect(sink.sent).to.deep.equal(['{"queueEmpty":{}}']);
  });

  it("tells a new attachment what the socket holds, and not what it still waits for", () => {
    const { sink, flow } = attachedFlow();
    flow.push(1, message(1));
    sink.bufferedBytes = MAX_WAITING_BYTES;
    flow.push(1, message(2));

    const told = flow.beginAttach();
    flow.push(1, message(3));
    sink.bufferedBytes = 0;
    flow.attached(2);
    flow.push(2, message(2));

    expect(told.inFlightMessageIds).to.deep.equal([ID(1)]);
    expect(sink.sent.map((text) => JSON.parse(text).message.id)).to.deep.equal([ID(1), ID(2)]);
  });

  it("takes what the older attachment pushes until the newer one stands, and nothing of it then", () => {
    const { sink, flow } = attachedFlow();

    flow.beginAttach();
    flow.push(1, message(1));
    flow.attached(2);
    flow.push(1, message(2));
    flow.push(2, message(1));
    flow.push(2, message(3));

    expect(sink.sent.map((text) => JSON.parse(text).message.id)).to.deep.equal([ID(1), ID(3)]);
  });

  it("is displaced under the epoch that it has, also while it is attached again, and under no older one", () => {
    const displaced = { kind: { $case: "displaced", value: {} } } as const;
    const [early, late] = [attachedFlow(), attachedFlow()];

    early.flow.beginAttach();
    early.flow.push(1, displaced);
    late.flow.beginAttach();
    late.flow.attached(2);
    late.flow.push(1, displaced);

    expect([early.flow.isDisplaced, late.flow.isDisplaced]).to.deep.equal([true, false]);
  });

  it("tells a new attachment of at most 256 messages", () => {
    const { flow } = attachedFlow();
    for (let index = 0; index < 600; index += 1) {
      flow.push(1, message(index));
    }

    const { inFlightMessageIds } = flow.beginAttach();

    expect(inFlightMessageIds).to.have.length(256);
    expect(inFlightMessageIds.at(-1)).to.equal(ID(599));
  });

  it("goes on when messages were acknowledged by calls, which it does not see", () => {
    const { sink, flow } = attachedFlow();
    for (let index = 0; index < 2_000; index += 1) {
      flow.push(1, message(index, 100));
      flow.settleCredit();
    }

    flow.acknowledge([ID(1_999)]);
    flow.push(1, message(2_000));

    expect(sink.sent).to.have.length(2_001);
    expect(sink.credits).to.deep.equal([65_600, 65_600, 65_600]);
  });

  it("ends with displaced", () => {
    const { sink, flow } = attachedFlow();

    flow.push(1, { kind: { $case: "displaced", value: {} } });
    flow.push(1, message(1));
    flow.attached(2);
    flow.push(2, message(1));

    expect(sink.sent).to.deep.equal(['{"displaced":{}}']);
    expect([sink.displacements, flow.isDisplaced]).to.deep.equal([1, true]);
  });
});
