import { expect } from "chai";
import { untilSo } from "../../../../bin/chaos/until-so.ts";

const NEVER = new AbortController().signal;

describe("waiting until something is so", () => {
  it("ends when it is", async () => {
    const answers = [false, false, true];

    await untilSo(async () => answers.shift() ?? false, "it is not so", NEVER);

    expect(answers).to.deep.equal([]);
  });

  it("ends when it never is", async () => {
    const failure = await untilSo(async () => false, "it is not so", NEVER, 5).catch(String);

    expect(failure).to.equal("Error: it is not so after 5 ms");
  });

  it("ends when nobody answers", async () => {
    const failure = await untilSo(() => new Promise(() => undefined), "it is not so", NEVER, 5).catch(String);

    expect(failure).to.equal("Error: it is not so after 5 ms");
  });

  it("ends when it is stopped", async () => {
    const stop = new AbortController();
    const asked = async (): Promise<boolean> => {
      stop.abort();
      return false;
    };

    expect(await untilSo(asked, "it is not so", stop.signal).catch((error: Error) => error.name)).to.equal("AbortError");
  });
});
