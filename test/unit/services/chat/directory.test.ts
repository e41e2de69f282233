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

describe("the directory of accounts", () => {
  it("asks a copy of the account service that hangs once, and then the one that answers", async () => {
    await using parts = new Disposables();
    const folder = await mkdtemp(join(tmpdir(), "sallyport-directory-"));
    parts.defer(() => rm(folder, { recursive: true }));
    const asked = { hanging: 0, answering: 0 };
    const serve = async (name: keyof typeof asked): Promise<string> => {
      const filterAccounts = ({ accountIds }: { accountIds: string[] }): Promise<{ accountIds: string[] }> => {
        asked[name] += 1;
        return name === "hanging" ? new Promise(() => undefined) : Promise.resolve({ accountIds });
      };
      const observer = { gatewayJoined: () => undefined, gatewayLeft: () => undefined };
      const implementations = implement(directoryService, { filterAccounts });
      const config = { listen: `unix:${join(folder, name)}`, implementations, observer };
      return parts.use(await startRpcServer(config, pino({ level: "silent" }))).address;
    };
    using directory = openDirectory([await serve("hanging"), await serve("answering")], Date.now);

    const known = [await directory.existsNow(newUuid()), await directory.existsNow(newUuid()), await directory.existsNow(newUuid())];

    expect(known).to.deep.equal([true, true, true]);
    expect(asked).to.deep.equal({ hanging: 1, answering: 3 });
  });
});
