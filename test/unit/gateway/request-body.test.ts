import { expect } from "chai";
import { BodyRoom } from "../../../gateway/body-room.ts";
import { RequestBody } from "../../../gateway/request-body.ts";

function recordingBody(room: BodyRoom = new BodyRoom(10_000_000, 10_000_000), client = "192.0.2.1"): { body: RequestBody; done: string[] } {
  const done: string[] = [];
  return { body: new RequestBody({ pause: () => done.push("pause"), resume: () => done.push("resume") }, room, client), done };
}

async function reasonOf(reading: Promise<unknown>): Promise<string> {
  return await reading.then(
    () => "read",
    (error: { reason: string }) => error.reason,
  );
}

async function read(body: RequestBody): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
  }
  return bytes;
}

describe("the body of a request", () => {
  it("is held back after 64 KiB until somebody reads", async () => {
    const { body, done } = recordingBody();
    body.add(Buffer.alloc(65_536), false);
    const before = [...done];
    body.add(Buffer.alloc(1), false);
    const held = [...done];

    const reading = read(body);
    body.add(Buffer.alloc(10), true);

    expect([before, held]).to.deep.equal([[], ["pause"]]);
    expect(await reading).to.equal(65_547);
    expect(done).to.deep.equal(["pause", "resume"]);
  });

  it("is thrown away when nobody will read it", async () => {
    const { body, done } = recordingBody();
    body.add(Buffer.alloc(70_000), false);

    body.drop();
    body.add(Buffer.alloc(70_000), true);

    expect(done).to.deep.equal(["pause", "resume"]);
  });

  it("fails when the room of all bodies is full, until another request has ended", async () => {
    const room = new BodyRoom(1_000, 1_000);
    const { body: first } = recordingBody(room);
    const { body: second } = recordingBody(room);
    const { body: third } = recordingBody(room);
    first.add(Buffer.alloc(400), true);
    await read(first);
    second.add(Buffer.alloc(40), false);
    second.add(Buffer.alloc(1), true);

    const refused = await reasonOf(read(second));
    first[Symbol.dispose]();
    second[Symbol.dispose]();
    third.add(Buffer.alloc(700), true);

    expect(refused).to.equal("TOO_MANY_BODIES");
    expect(await read(third)).to.equal(700);
  });

  it("leaves room for others when one client takes its share", async () => {
    const room = new BodyRoom(2_000, 1_000);
    const { body: greedy } = recordingBody(room, "192.0.2.1");
    const { body: more } = recordingBody(room, "192.0.2.1");
    const { body: other } = recordingBody(room, "192.0.2.2");
    greedy.add(Buffer.alloc(700), false);

    more.add(Buffer.alloc(700), true);
    other.add(Buffer.alloc(700), true);

    expect(await reasonOf(read(more))).to.equal("TOO_MANY_BODIES");
    expect(await read(other)).to.equal(700);
  });

  it("shares what is one client's with all addresses of its IPv6 network", async () => {
    const room = new BodyRoom(2_000, 1_000);
    const { body: greedy } = recordingBody(room, "2001:db8::1");
    const { body: more } = recordingBody(room, "2001:db8::2");
    const { body: other } = recordingBody(room, "2001:db8:0:1::1");
    greedy.add(Buffer.alloc(700), true);
    more.add(Buffer.alloc(700), true);
    other.add(Buffer.alloc(700), true);

    const refused = await reasonOf(read(more));
    greedy[Symbol.dispose]();
    const { body: later } = recordingBody(room, "2001:db8::2");
    later.add(Buffer.alloc(700), true);

    expect(refused).to.equal("TOO_MANY_BODIES");
    expect(await read(other)).to.equal(700);
    expect(await read(later)).to.equal(700);
  });

  it("is read in one piece however small its chunks are, and each of them costs room", async () => {
    const { body } = recordingBody(new BodyRoom(300_000_000, 300_000_000));
    const { body: refused } = recordingBody(new BodyRoom(1_000_000, 1_000_000));
    const pieces: number[] = [];

    for (let index = 0; index < 200_000; index += 1) {
      body.add(Buffer.alloc(1), index === 199_999);
      refused.add(Buffer.alloc(1), index === 199_999);
    }
    for await (const piece of body) {
      pieces.push(piece.length);
    }

    expect(pieces).to.deep.equal([200_000]);
    expect(await reasonOf(read(refused))).to.equal("TOO_MANY_BODIES");
  });

  it("lets what does not fit pass by, also when it was held back", () => {
    const { body, done } = recordingBody(new BodyRoom(70_256, 70_256));
    body.add(Buffer.alloc(70_000), false);

    body.add(Buffer.alloc(1), false);

    expect(done).to.deep.equal(["pause", "resume"]);
  });

  it("fails, and does not look whole, when the client goes away while it is read", async () => {
    const { body } = recordingBody();
    body.add(Buffer.alloc(10), false);
    const reading = read(body);

    body.abort();

    expect(await reasonOf(reading)).to.equal("CANCELLED");
  });

  it("does not touch the source of a client that has gone", () => {
    const { body, done } = recordingBody();
    body.add(Buffer.alloc(70_000), false);

    body.abort();
    body.drop();

    expect(done).to.deep.equal(["pause"]);
  });

  it("may be empty", async () => {
    const { body } = recordingBody();
    body.add(Buffer.alloc(0), true);

    expect(await read(body)).to.equal(0);
  });
});
