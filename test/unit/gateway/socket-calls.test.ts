import { expect } from "chai";
import { Confirmation } from "../../../gateway/confirmation.ts";
import type { GatewayContext } from "../../../gateway/context.ts";
import { createEvents } from "../../../gateway/events.ts";
import { SocketCalls } from "../../../gateway/socket-calls.ts";
import { createLogger } from "../../../platform/logger.ts";
import { ServerFrame } from "../../../proto/gen/sallyport/gateway/v1/frames.ts";

const MIB = 1024 * 1024;

async function codeOfCallWhile(bufferedBytes: number): Promise<number | undefined> {
  const events = createEvents(createLogger("test", "silent"));
  const context = { clock: Date.now, events } as unknown as GatewayContext;
  const confirmation = new Confirmation(context, [], () => undefined);
  confirmation.begin();
  const reply = new Promise<Uint8Array>((sendBinary) => {
    const calls = new SocketCalls(context, { grants: [], address: "127.0.0.1", confirmation }, { bufferedBytes, sendBinary });
    calls.start({ kind: "call", id: 1, method: "/none", request: new Uint8Array(0), timeoutMs: 0 });
  });
  const { kind } = ServerFrame.decode(await reply);
  return kind?.value.code;
}

describe("the calls of a socket", () => {
  it("are refused with 8 while more than 1 MiB waits to be read", async () => {
    expect(await codeOfCallWhile(MIB + 1)).to.equal(8);
  });

  it("are served while 1 MiB waits to be read", async () => {
    expect(await codeOfCallWhile(MIB)).to.equal(12);
  });
});
