import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { expect } from "chai";
import { MongoClient } from "mongodb";
import { type Stack, startStack } from "../support/stack.ts";
import { Traffic } from "../support/traffic.ts";

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");

describe("sallyport verify", () => {
  let stack: Stack;

  before(async () => {
    stack = await startStack();
  });

  after(() => stack[Symbol.asyncDispose]());

  it("finds the database of a running stack consistent while people write to each other", async function () {
    this.timeout(60_000);
    await using traffic = await Traffic.start(stack.httpUrl, 6);
    const sending = traffic.send(30);

    const during = await run(stack.mongodbUri, "--check");
    await sending;
    const { accepted, lost } = await traffic.settle(30_000);
    const after = await run(stack.mongodbUri);

    expect([during.code, after.code], during.output + after.output).to.deep.equal([0, 0]);
    expect(lost).to.deep.equal([]);
    expect(after.output)
      .to.match(new RegExp(`^ledger: ${accepted} messages, `))
      .and.to.match(/\nconsistent\n$/);
  });

  it("says what is wrong, repairs it, and says that nothing is left", async function () {
    this.timeout(60_000);
    await using client = await MongoClient.connect(stack.mongodbUri);
    const inbox = client.db(databaseOf(stack.mongodbUri)).collection<{ _id: string }>("inbox");
    const body = { recipientId: "r", order: Date.now() * 2048, acceptedAt: new Date(), size: 6 };
    await inbox.insertOne({ _id: "stray", ...body });

    const look = await run(stack.mongodbUri, "--check");
    const kept = await inbox.countDocuments({ _id: "stray" });
    const repair = await run(stack.mongodbUri);

    expect([look.code, kept]).to.deep.equal([1, 1]);
    expect(look.output).to.contain("\nbody-without-claim: 1 found (stray)\n");
    expect(repair.code).to.equal(0);
    expect(repair.output).to.contain("\nbody-without-claim: 1 found, 1 repaired, 0 left (stray)\n");
    expect(await inbox.countDocuments({ _id: "stray" })).to.equal(0);
  });

  it("tells a database without a ledger, a wrong setting and a wrong flag from a ledger with faults", async function () {
    this.timeout(60_000);
    const elsewhere = stack.mongodbUri.replace(/\/test_\w+/, "/test_nobody");

    const [empty, wrong, flag] = await Promise.all([run(elsewhere), run("somewhere"), run(stack.mongodbUri, "--repair")]);

    expect([empty.code, wrong.code, flag.code]).to.deep.equal([2, 2, 2]);
    expect(empty.output).to.contain("the database test_nobody_chat holds no ledger");
    expect(wrong.output).to.contain("MONGODB_URI");
    expect(flag.output).to.contain("verify takes no --repair");
  });
});

function run(mongodbUri: string, ...flags: readonly string[]): Promise<{ code: number; output: string }> {
  const env = { PATH: process.env["PATH"], MONGODB_URI: mongodbUri };
  return new Promise((answer) => {
    execFile(process.execPath, [ENTRY, "verify", ...flags], { env }, (error, stdout, stderr) => {
      answer({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

function databaseOf(uri: string): string {
  return `${/\/(test_\w+)/.exec(uri)?.[1]}_chat`;
}
