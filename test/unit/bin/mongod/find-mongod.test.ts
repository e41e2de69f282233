import { expect } from "chai";
import { type Finder, findMongod, MongodNotFoundError } from "../../../../bin/mongod/find-mongod.ts";

const never = new AbortController().signal;

describe("finding a MongoDB server", () => {
  it("takes the first answer and asks no further", async () => {
    const asked: string[] = [];
    const finders = [without("PATH", asked), having("cache", "/cache/mongod", asked), having("wheel", "/wheel/mongod", asked)];

    expect(await findMongod(finders, never)).to.equal("/cache/mongod");
    expect(asked).to.deep.equal(["PATH", "cache"]);
  });

  it("tells each place and its reason when none has one", async () => {
    const error = await findMongod([without("PATH"), without("wheel")], never).catch((thrown: unknown) => thrown);

    expect(error).to.be.instanceOf(MongodNotFoundError);
    expect((error as Error).message.split("\n")).to.deep.equal([
      "no MongoDB server was found or could be fetched; tried:",
      "  MONGODB_URI: not set",
      "  PATH: not in PATH",
      "  wheel: not in wheel",
    ]);
  });

  it("asks nobody once it is to stop", async () => {
    const asked: string[] = [];
    const stop = new AbortController();
    const interrupted: Finder = { name: "download", find: () => Promise.reject(stop.abort(new Error("stopped"))) };

    const error = await findMongod([interrupted, having("wheel", "/wheel/mongod", asked)], stop.signal).catch((thrown: unknown) => thrown);

    expect((error as Error).message).to.equal("stopped");
    expect(asked).to.deep.equal([]);
  });
});

function having(name: string, file: string, asked: string[]): Finder {
  return {
    name,
    find: async () => {
      asked.push(name);
      return file;
    },
  };
}

function without(name: string, asked: string[] = []): Finder {
  return {
    name,
    find: async () => {
      asked.push(name);
      throw new Error(`not in ${name}`);
    },
  };
}
