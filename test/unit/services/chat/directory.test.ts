import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pino } from "pino";
import { newUuid } from "../../../../platform/ids.ts";
import { Disposables } from "../../../../platform/lifecycle.ts";
import { implement } from "../../../../platform/rpc/call.ts";
import { startRpcServer } from "../../../../platform/rpc/server.ts";
import { directoryService } from "../../../../proto/gen/policy/services.ts";
import { openDirectory } from "../../../../services/chat/directory.ts";

/** A copy of the account service that answers, or hangs, and counts what it is asked. */
interface Copy {
  readonly target: string;
  asked: number;
}

async function serve(parts: Disposables, listen: string, hangs = false): Promise<Copy> {
  const filterAccounts = ({ accountIds }: { accountIds: string[] }): Promise<{ accountIds: string[] }> => {
    copy.asked += 1;
    return hangs ? new Promise(() => undefined) : Promise.resolve({ accountIds });
  };
  const observer = { gatewayJoined: () => undefined, gatewayLeft: () => undefined };
  const implementations = implement(directoryService, { filterAccounts });
  const server = parts.use(await startRpcServer({ listen, implementations, observer }, pino({ level: "silent" })));
  const copy = { target: server.address, asked: 0 };
  return copy;
}

async function newFolder(parts: Disposables): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-directory-"));
  parts.defer(() => rm(folder, { recursive: true }));
  return `unix:${folder}`;
}

describe("the directory of accounts", () => {
  it("asks a copy of the account service that hangs once, and then the one that answers", async () => {
    await using parts = new Disposables();
    const folder = await newFolder(parts);
    const [hanging, answering] = [await serve(parts, `${folder}/hanging`, true), await serve(parts, `${folder}/answering`)];
    using directory = openDirectory([hanging.target, answering.target], Date.now);

    const known = [await directory.existsNow(newUuid()), await directory.existsNow(newUuid()), await directory.existsNow(newUuid())];

    expect(known).to.deep.equal([true, true, true]);
    expect([hanging.asked, answering.asked]).to.deep.equal([1, 3]);
  });

  it("asks two copies at most for a question, and others than those that failed for the next", async () => {
    await using parts = new Disposables();
    const folder = await newFolder(parts);
    const answering = await serve(parts, `${folder}/answering`);
    using directory = openDirectory([`${folder}/nobody`, `${folder}/no-one`, answering.target], Date.now);

    const first = await directory.existsNow(newUuid()).catch((error: unknown) => error);
    const second = await directory.existsNow(newUuid());

    expect(first).to.include({ status: "UNAVAILABLE", reason: "ACCOUNT_SERVICE_UNAVAILABLE" });
    expect([second, answering.asked]).to.deep.equal([true, 1]);
  });

  it("asks the copies that a name stands for, as they come and go", async () => {
    await using parts = new Disposables();
    const first = await serve(parts, "127.0.0.2:0");
    const port = first.target.split(":")[1];
    const second = await serve(parts, `127.0.0.3:${port}`);
    let addresses: readonly string[] = [];
    let resolved: () => void = () => undefined;
    const resolve = async (): Promise<readonly string[]> => {
      resolved();
      return addresses;
    };
    /** Waits until what is resolved by now has been acted on. */
    const settle = async (): Promise<void> => {
      for (let times = 0; times < 3; times += 1) {
        await new Promise<void>((done) => {
          resolved = done;
        });
      }
    };
    using directory = openDirectory([`dns:///account.example:${port}`], Date.now, undefined, { resolve, everyMs: 2 });

    await settle();
    const atFirst = await directory.existsNow(newUuid()).catch((error: unknown) => error);
    addresses = ["127.0.0.2"];
    await settle();
    await directory.existsNow(newUuid());
    addresses = ["127.0.0.3"];
    while (second.asked === 0) {
      await directory.existsNow(newUuid());
    }
    const askedBefore = first.asked;
    await directory.existsNow(newUuid());

    expect(atFirst).to.include({ status: "UNAVAILABLE", reason: "ACCOUNT_SERVICE_UNAVAILABLE" });
    expect([first.asked, second.asked]).to.deep.equal([askedBefore, 2]);
  });

  it("asks a copy that the name does not stand for any more until another one serves", async () => {
    await using parts = new Disposables();
    const first = await serve(parts, "127.0.0.2:0");
    const port = first.target.split(":")[1];
    let addresses: readonly string[] = ["127.0.0.2"];
    let answers = 0;
    const resolve = async (): Promise<readonly string[]> => {
      answers += 1;
      return addresses;
    };
    using directory = openDirectory([`dns:///account.example:${port}`], Date.now, undefined, { resolve, everyMs: 2 });
    const known: unknown[] = [];
    while (known.at(-1) !== true) {
      known.push(await directory.existsNow(newUuid()).catch(() => false));
    }

    addresses = ["127.0.0.3", "127.0.0.4"];
    for (const enough = answers + 10; answers < enough; ) {
      known.push(await directory.existsNow(newUuid()));
    }
    const second = await serve(parts, `127.0.0.3:${port}`);
    while (second.asked === 0) {
      await directory.existsNow(newUuid());
    }
    const askedBefore = first.asked;
    await directory.existsNow(newUuid());

    expect(first.asked).to.equal(askedBefore);
    expect(second.asked).to.equal(2);
  });
});
