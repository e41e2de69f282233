import { once } from "node:events";
import { constants, createServer } from "node:http2";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { SallyportError } from "../../../platform/errors.ts";
import { createLogger } from "../../../platform/logger.ts";
import { implement } from "../../../platform/rpc/call.ts";
import { Channel } from "../../../platform/rpc/channel.ts";
import { createClient } from "../../../platform/rpc/client.ts";
import { startRpcServer } from "../../../platform/rpc/server.ts";
import { directoryService, leaseService } from "../../../proto/gen/policy/services.ts";
import { ID, openRelayBench, soon } from "./relay-bench.ts";

const LOST = { status: "UNAVAILABLE", reason: "SERVICE_LOST", retryAfterMs: 500 };

function failure(call: Promise<unknown>): Promise<SallyportError> {
  return call.then(
    () => expect.fail("it was answered"),
    (error: unknown) => error as SallyportError,
  );
}

/** A server that resets every stream with a code of HTTP/2. */
async function startResetting(code: number): Promise<AsyncDisposable & { readonly target: string }> {
  const server = createServer();
  server.on("stream", (stream) => {
    stream.on("error", () => undefined);
    stream.close(code);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    target: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

describe("a unary call", () => {
  it("is lost with a copy that could not wait for it, and may be made again", async () => {
    await using bench = await openRelayBench();
    using channel = new Channel(bench.target);
    bench.act = () => new Promise(() => undefined);
    const began = once(bench.seen, "began");
    const call = failure(createClient(leaseService, channel).renewLease({ incarnation: ID }, { deadline: soon() }));
    await began;

    await bench.server[Symbol.asyncDispose]();

    expect(await call).to.include(LOST);
  });

  it("is cancelled, not lost, when its caller no longer wants it", async () => {
    await using bench = await openRelayBench();
    using channel = new Channel(bench.target);
    bench.act = () => new Promise(() => undefined);
    const began = once(bench.seen, "began");
    const gone = new AbortController();
    const options = { deadline: soon(), signal: gone.signal };
    const call = failure(createClient(leaseService, channel).renewLease({ incarnation: ID }, options));
    await began;

    gone.abort();

    expect(await call).to.include({ status: "CANCELLED", reason: "CANCELLED", retryAfterMs: undefined });
  });

  for (const name of ["NGHTTP2_CANCEL", "NGHTTP2_INTERNAL_ERROR", "NGHTTP2_NO_ERROR", "NGHTTP2_ENHANCE_YOUR_CALM"] as const) {
    it(`is lost when its stream is reset with ${name}`, async () => {
      await using server = await startResetting(constants[name]);
      using channel = new Channel(server.target);

      const error = await failure(channel.invoke("/any", Buffer.alloc(0), { deadline: soon() }));

      expect(error).to.include(LOST);
    });
  }

  it("fails for good when its request or its response is larger than any may be", async () => {
    const accountIds = Array.from({ length: 500_000 }, () => ID);
    const implementations = implement(directoryService, { filterAccounts: () => ({ accountIds }) });
    const observer = { gatewayJoined: () => undefined, gatewayLeft: () => undefined };
    await using server = await startRpcServer({ listen: "127.0.0.1:0", implementations, observer }, createLogger("test", "silent"));
    using channel = new Channel(server.address);

    const response = await failure(createClient(directoryService, channel).filterAccounts({ accountIds: [ID] }, { deadline: soon() }));
    const request = await failure(channel.invoke("/any", Buffer.alloc(17 * 1024 * 1024), { deadline: soon() }));

    for (const error of [response, request]) {
      expect(error).to.include({ status: "INTERNAL", reason: "INTERNAL", retryAfterMs: undefined });
    }
  });

  it("keeps what the service itself says that it failed with", async () => {
    await using bench = await openRelayBench();
    using channel = new Channel(bench.target);
    bench.act = () => Promise.reject(new SallyportError("RESOURCE_EXHAUSTED", "full", { reason: "INBOX_FULL" }));

    const error = await failure(createClient(leaseService, channel).renewLease({ incarnation: ID }, { deadline: soon() }));

    expect(error).to.include({ status: "RESOURCE_EXHAUSTED", reason: "INBOX_FULL" });
  });

  it("over a channel that is closed fails like one that reaches nobody", async () => {
    const channel = new Channel("127.0.0.1:1");
    channel[Symbol.dispose]();

    const error = await failure(createClient(leaseService, channel).renewLease({ incarnation: ID }, { deadline: soon() }));

    expect(error).to.include({ status: "UNAVAILABLE", reason: "SERVICE_UNREACHABLE", retryAfterMs: 500 });
  });
});
