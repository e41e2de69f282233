import { once } from "node:events";
import { join } from "node:path";
import { expect } from "chai";
import { Channel } from "../../../platform/rpc/channel.ts";
import { relayService } from "../../../platform/rpc/relay-method.ts";
import { FreezingProxy } from "../../support/freezing-proxy.ts";
import { connectRelay, ID, openRelay, openRelayBench, outcome, soon } from "./relay-bench.ts";

const TICK_MS = 50;

describe("the health of a relay stream", () => {
  it("shows in the Pong that answers a Ping at once, while a call is under way", async () => {
    await using bench = await openRelayBench();
    bench.act = () => new Promise(() => undefined);
    using channel = new Channel(bench.target);
    const { path, requestSerialize, responseDeserialize } = relayService.relay;
    const stream = channel.grpc.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, {});
    const call = { id: 1, method: "/sallyport.relay.v1.LeaseService/EndLease", deadlineUnixMs: soon(), address: "", operator: false };

    stream.write({
      items: [
        { kind: { $case: "hello", value: { incarnation: ID, service: "" } } },
        { kind: { $case: "call", value: { ...call, request: Buffer.from(`\n$${ID}`), caller: undefined } } },
        { kind: { $case: "ping", value: {} } },
      ],
    });
    const [response] = await once(stream, "data");
    stream.cancel();
    await once(stream, "error");

    expect(response.items).to.deep.equal([{ kind: { $case: "pong", value: {} } }]);
  });

  it("has nothing to do with how much is said: an idle stream stays", async () => {
    await using bench = await openRelayBench();
    using end = await connectRelay(bench.target, TICK_MS);
    await using other = await openRelayBench();
    await using proxy = await FreezingProxy.start(join(other.folder, "proxy"), join(other.folder, "service"));
    using frozen = await connectRelay(`unix:${join(other.folder, "proxy")}`, TICK_MS);
    const known = end.log.length;

    proxy.freeze();
    await once(frozen.heard, "silent");
    await once(frozen.heard, "unreachable");

    expect(end.log.slice(known)).to.deep.equal([]);
  });

  it("ends with silence: what waits fails with UNAVAILABLE at once, and a stream is tried until one stands", async () => {
    await using bench = await openRelayBench();
    bench.act = () => new Promise(() => undefined);
    await using proxy = await FreezingProxy.start(join(bench.folder, "proxy"), join(bench.folder, "service"));
    using end = await connectRelay(`unix:${join(bench.folder, "proxy")}`, TICK_MS);
    const known = end.log.length;
    const began = once(bench.seen, "began");
    const waiting = outcome(end.leases.renewLease({ incarnation: ID }, { deadline: soon() }));
    await began;

    proxy.freeze();
    const failed = await waiting;
    const meanwhile = await outcome(end.leases.renewLease({ incarnation: ID }, { deadline: soon() }));
    // The stream that is tried gets no headers: it is given up in its turn.
    const [error] = await once(end.heard, "unreachable");
    proxy.thaw();
    await once(end.heard, "connected");
    bench.act = async () => undefined;

    expect([failed, meanwhile]).to.deep.equal(["UNAVAILABLE SERVICE_LOST", "UNAVAILABLE SERVICE_UNREACHABLE"]);
    expect(error).to.include({ status: "UNAVAILABLE", reason: "SERVICE_SILENT" });
    expect(end.log.slice(known)).to.deep.equal(["silent", "disconnected", "unreachable", "connected"]);
    expect(await outcome(end.leases.renewLease({ incarnation: ID }, { deadline: soon() }))).to.equal("OK");
  });
});

describe("the copy at the other end of a relay stream", () => {
  it("says which run it is, the same on every stream, and another run says another", async () => {
    await using one = await openRelayBench(ID);
    await using other = await openRelayBench();
    using first = await connectRelay(one.target);
    using second = await connectRelay(one.target);
    using third = await connectRelay(other.target);

    expect([first.relay.copy, second.relay.copy]).to.deep.equal([ID, ID]);
    expect(third.relay.copy)
      .to.match(/^[\da-f-]{36}$/)
      .and.not.equal(ID);
  });

  it("is not known while no stream stands", async () => {
    await using bench = await openRelayBench();
    using nowhere = openRelay(`unix:${join(bench.folder, "nobody")}`);
    using end = await connectRelay(bench.target);
    const lost = once(end.heard, "disconnected");

    await bench.server[Symbol.asyncDispose]();
    await lost;

    expect([nowhere.relay.copy, end.relay.copy]).to.deep.equal([undefined, undefined]);
  });
});
