import { EventEmitter, once } from "node:events";
import { expect } from "chai";
import { Channel } from "../../../platform/rpc/channel.ts";
import { createClient } from "../../../platform/rpc/client.ts";
import { RelayClient } from "../../../platform/rpc/relay-client.ts";
import { leaseService } from "../../../proto/gen/policy/services.ts";
import { connectRelay, ID, openRelay, openRelayBench, outcome, type RelayBench, soon } from "./relay-bench.ts";

/** Lets the calls of a bench wait until they are told to end. */
function holdCalls(bench: RelayBench): () => void {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  bench.act = () => released;
  return release;
}

describe("a service that stops", () => {
  it("tells its gateways, lets the calls in flight end, and is done when they have ended their streams", async () => {
    await using bench = await openRelayBench();
    using end = await connectRelay(bench.target);
    using other = await connectRelay(bench.target);
    const release = holdCalls(bench);
    const began = once(bench.seen, "began");
    const call = outcome(end.leases.renewLease({ incarnation: ID }, { deadline: soon() }));
    await began;

    const drained = bench.server.drain();
    await Promise.all([once(end.heard, "leaving"), once(other.heard, "disconnected")]);
    const whileItRan = [end.relay.isConnected, end.relay.isLeaving, end.log.includes("disconnected")];
    release();
    await drained;

    expect(await call).to.equal("OK");
    expect(whileItRan).to.deep.equal([true, true, false]);
    expect(end.log.slice(0, 3)).to.deep.equal(["connected", "leaving", "disconnected"]);
  });

  it("lets unary calls end too, those that came over a gateway's channel as well", async () => {
    await using bench = await openRelayBench();
    using end = await connectRelay(bench.target);
    using channel = new Channel(bench.target);
    const release = holdCalls(bench);
    const calls = [end.relay.channel, channel].map((from) => {
      const began = once(bench.seen, "began");
      return { began, answer: outcome(createClient(leaseService, from).renewLease({ incarnation: ID }, { deadline: soon() })) };
    });
    await Promise.all(calls.map(({ began }) => began));

    const drained = bench.server.drain();
    await once(end.heard, "leaving");
    release();
    await drained;

    expect(await Promise.all(calls.map(({ answer }) => answer))).to.deep.equal(["OK", "OK"]);
  });

  it("says so by its health checks, takes no further stream, and in the end no further call", async () => {
    await using bench = await openRelayBench();
    using end = await connectRelay(bench.target);
    const release = holdCalls(bench);
    using channel = new Channel(bench.target);
    await channel.isServing("", soon());
    const began = once(bench.seen, "began");
    const call = outcome(end.leases.renewLease({ incarnation: ID }, { deadline: soon() }));
    await began;

    const drained = bench.server.drain();
    await once(end.heard, "leaving");
    const serving = await channel.isServing("", soon());
    using late = openRelay(bench.target);
    const [refusal] = await once(late.heard, "unreachable");
    release();
    await drained;
    const afterwards = await outcome(createClient(leaseService, channel).renewLease({ incarnation: ID }, { deadline: soon() }));

    expect(serving).to.equal(false);
    expect(refusal).to.include({ status: "UNAVAILABLE", reason: "STOPPING" });
    expect(await call).to.equal("OK");
    expect(afterwards).to.equal("UNAVAILABLE SERVICE_UNREACHABLE");
  });

  it("is left after a while by a gateway whose calls do not end: those fail, and the service is done", async () => {
    await using bench = await openRelayBench();
    using end = await connectRelay(bench.target);
    bench.act = () => new Promise(() => undefined);
    const began = once(bench.seen, "began");
    const call = outcome(end.leases.renewLease({ incarnation: ID }, { deadline: soon() }));
    await began;

    await bench.server.drain();

    expect(await call).to.equal("UNAVAILABLE SERVICE_LOST");
  });

  it("is left only when the sockets have gone elsewhere, though it is let go meanwhile", async () => {
    await using bench = await openRelayBench();
    const heard = new EventEmitter();
    let move: () => void = () => undefined;
    const moved = new Promise<void>((resolve) => {
      move = resolve;
    });
    const log: string[] = [];
    const listener = {
      connected: () => void heard.emit("connected"),
      disconnected: () => void log.push("disconnected"),
      leaving: () => {
        heard.emit("leaving");
        return moved;
      },
      pushed: () => undefined,
      revoked: () => undefined,
    };
    using relay = new RelayClient(bench.target, ID, listener);
    await once(heard, "connected");
    const leaving = once(heard, "leaving");
    const drained = bench.server.drain();
    await leaving;

    const gone = relay.letGo();
    using channel = new Channel(bench.target);
    await channel.isServing("", soon());
    const whileTheyMove = [relay.isConnected, ...log];
    move();
    await Promise.all([gone, drained]);

    expect(whileTheyMove).to.deep.equal([true]);
    expect(log).to.deep.equal(["disconnected"]);
  });

  it("is done at once when nobody is connected", async () => {
    await using bench = await openRelayBench();

    await bench.server.drain();
  });
});

describe("a copy that is let go", () => {
  it("takes nothing new, is left when its calls have ended, and is not connected to again", async () => {
    await using bench = await openRelayBench();
    using end = await connectRelay(bench.target);
    const release = holdCalls(bench);
    const began = once(bench.seen, "began");
    const call = outcome(end.leases.renewLease({ incarnation: ID }, { deadline: soon() }));
    await began;
    const left = once(bench.seen, "left");

    const gone = end.relay.letGo();
    const whileItRan = [end.relay.isConnected, end.relay.isLeaving];
    release();
    await Promise.all([gone, left]);

    expect(await call).to.equal("OK");
    expect(whileItRan).to.deep.equal([true, true]);
    expect(end.log).to.deep.equal(["connected", "leaving", "disconnected"]);
  });

  it("ends its unary calls too", async () => {
    await using bench = await openRelayBench();
    using end = await connectRelay(bench.target);
    const release = holdCalls(bench);
    const began = once(bench.seen, "began");
    const unary = createClient(leaseService, end.relay.channel);
    const call = outcome(unary.renewLease({ incarnation: ID }, { deadline: soon() }));
    await began;
    let isGone = false;

    const gone = end.relay.letGo().then(() => {
      isGone = true;
    });
    await connectRelay(bench.target).then((other) => other[Symbol.dispose]());
    const wasGone = isGone;
    release();
    await gone;

    expect(await call).to.equal("OK");
    expect(wasGone).to.equal(false);
  });

  it("is left at once when no stream to it stands", async () => {
    await using bench = await openRelayBench();
    using end = openRelay(`${bench.target}-nobody`);

    await end.relay.letGo();

    expect(await outcome(end.leases.renewLease({ incarnation: ID }, { deadline: soon() }))).to.equal("UNAVAILABLE SERVICE_UNREACHABLE");
  });
});
