import { expect } from "chai";
import { endService } from "../../../platform/rpc/end-service.ts";

/** A server and parts whose ends are noted in order. */
function startService(endParts: () => Promise<void>): { server: { drain(): Promise<void> }; parts: AsyncDisposable; log: string[] } {
  const log: string[] = [];
  const drain = async (): Promise<void> => {
    log.push("drain");
    await new Promise(setImmediate);
    log.push("drained");
  };
  const dispose = async (): Promise<void> => {
    log.push("end");
    await endParts();
    log.push("ended");
  };
  return { server: { drain }, parts: { [Symbol.asyncDispose]: dispose }, log };
}

describe("the end of a service", () => {
  it("is its leave-taking, and then the end of its parts", async () => {
    const { server, parts, log } = startService(async () => undefined);

    await endService(server, parts);

    expect(log).to.deep.equal(["drain", "drained", "end", "ended"]);
  });

  it("comes although a part hangs", async () => {
    const { server, parts, log } = startService(() => new Promise(() => undefined));

    await endService(server, parts, 10);

    expect(log).to.deep.equal(["drain", "drained", "end"]);
  });
});
