import { expect } from "chai";
import { RequestBody } from "../../../gateway/request-body.ts";

function recordingBody(): { body: RequestBody; done: string[] } {
  const done: string[] = [];
  return { body: new RequestBody({ pause: () => done.push("pause"), resume: () => done.push("resume") }), done };
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

  it("may be empty", async () => {
    const { body } = recordingBody();
    body.add(Buffer.alloc(0), true);

    expect(await read(body)).to.equal(0);
  });
});
