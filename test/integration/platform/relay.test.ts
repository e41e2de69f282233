import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { SallyportError } from "../../../platform/errors.ts";
import { createLogger } from "../../../platform/logger.ts";
import { type Call, type GatewayPeer, implement } from "../../../platform/rpc/call.ts";
import { Channel } from "../../../platform/rpc/channel.ts";
import { createClient } from "../../../platform/rpc/client.ts";
import { RelayClient, type RelayListener } from "../../../platform/rpc/relay-client.ts";
import { relayService } from "../../../platform/rpc/relay-method.ts";
import { type RpcServer, startRpcServer } from "../../../platform/rpc/server.ts";
import { directoryService, leaseService, methods } from "../../../proto/gen/policy/services.ts";
import type { Push } from "../../../proto/gen/sallyport/relay/v1/relay.ts";

const incarnation = "0f8fad5b-d9cb-469f-a165-70867728950e";
const caller = { accountId: incarnation, sessionId: incarnation, service: "chat" } as const;
const soon = (): number => Date.now() + 5_000;

/** A gateway's end of a relay stream, with its events as promises. */
function createGateway(target: string): {
  relay: RelayClient;
  connected: () => Promise<unknown>;
  disconnected: () => Promise<unknown>;
  pushes: Push[];
  pushed: () => Promise<unknown>;
} {
  const events = new EventTarget();
  const tell = (name: string) => () => void events.dispatchEvent(new Event(name));
  const pushes: Push[] = [];
  const listener: RelayListener = {
    connected: tell("connected"),
    disconnected: tell("disconnected"),
    pushed: (push) => {
      pushes.push(push);
      tell("pushed")();
    },
    revoked: () => undefined,
  };
  const wait = (name: string) => () => once(events, name);
  return {
    relay: new RelayClient(target, incarnation, listener),
    connected: wait("connected"),
    disconnected: wait("disconnected"),
    pushes,
    pushed: wait("pushed"),
  };
}

describe("the relay between a gateway and a service", () => {
  let directory: string;
  let listen: string;
  let server: RpcServer;
  let calls: Call[];
  let gateways: GatewayPeer[];
  let joined: number;
  let act: (call: Call) => Promise<void>;

  async function start(): Promise<RpcServer> {
    const serve = async (call: Call): Promise<Record<string, never>> => {
      calls.push(call);
      await act(call);
      return {};
    };
    const implementations = [
      ...implement(leaseService, { renewLease: (_, call) => serve(call), endLease: (_, call) => serve(call) }),
      ...implement(directoryService, { filterAccounts: ({ accountIds }) => ({ accountIds: accountIds.slice(0, 1) }) }),
    ];
    const observer = {
      gatewayJoined: (peer: GatewayPeer) => {
        joined += 1;
        gateways.push(peer);
      },
      gatewayLeft: (peer: GatewayPeer) => void gateways.splice(gateways.indexOf(peer), 1),
    };
    return startRpcServer({ listen, implementations, observer }, createLogger("test", "silent"));
  }

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "sallyport-relay-"));
    listen = `unix:${join(directory, "service.sock")}`;
    calls = [];
    gateways = [];
    joined = 0;
    act = async () => undefined;
    server = await start();
  });

  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  it("carries typed calls with identity, address and deadline", async () => {
    const gateway = createGateway(listen);
    using _relay = gateway.relay;
    await gateway.connected();
    const deadline = soon();

    await createClient(leaseService, gateway.relay).renewLease({ incarnation }, { deadline, caller, address: "192.0.2.1" });

    expect(calls[0]).to.deep.include({ caller, address: "192.0.2.1", deadline });
    expect(calls[0]?.gateway?.incarnation).to.equal(incarnation);
  });

  for (const [title, first, times] of [
    ["says Hello twice", "hello", 1],
    ["begins with something else than Hello", "cancel", 0],
  ] as const) {
    it(`ends a stream that ${title}, and keeps no gateway of it`, async () => {
      using channel = new Channel(listen);
      const { path, requestSerialize, responseDeserialize } = relayService.relay;
      const stream = channel.grpc.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, {});
      const items = {
        hello: { kind: { $case: "hello", value: { incarnation, service: "" } } },
        cancel: { kind: { $case: "cancel", value: { callId: 1 } } },
      } as const;
      const ended = once(stream.resume(), "end");

      stream.write({ items: [items[first]] });
      stream.write({ items: [items.hello] });
      stream.write({ items: [items.hello] });
      await ended;

      expect([joined, gateways]).to.deep.equal([times, []]);
    });
  }

  it("serves the same handlers as plain unary gRPC", async () => {
    using channel = new Channel(listen);

    const answer = await createClient(directoryService, channel).filterAccounts({ accountIds: [incarnation] }, { deadline: soon() });
    await createClient(leaseService, channel).renewLease({ incarnation }, { deadline: soon(), caller, address: "192.0.2.1" });

    expect(answer.accountIds).to.deep.equal([incarnation]);
    expect(calls[0]).to.deep.include({ caller, address: "192.0.2.1", gateway: undefined });
  });

  it("answers thousands of calls on one stream, each its own", async () => {
    const gateway = createGateway(listen);
    using relay = gateway.relay;
    await gateway.connected();
    const client = createClient(directoryService, relay);
    const ids = Array.from({ length: 3000 }, (_, index) => `${index.toString(16).padStart(8, "0")}-d9cb-469f-a165-70867728950e`);

    const answers = await Promise.all(ids.map((id) => client.filterAccounts({ accountIds: [id] }, { deadline: soon() })));

    expect(answers.map(({ accountIds }) => accountIds[0])).to.deep.equal(ids);
  });

  it("carries a handler's error with its details, and hides one that is not ours", async () => {
    const gateway = createGateway(listen);
    using relay = gateway.relay;
    await gateway.connected();
    const client = createClient(leaseService, relay);
    act = async () => {
      throw new SallyportError("FAILED_PRECONDITION", "not so", { reason: "NOT_SO" });
    };

    const ours = await client.renewLease({ incarnation }, { deadline: soon() }).catch((error: unknown) => error);
    act = async () => {
      throw new Error("secret");
    };
    const other = await client.renewLease({ incarnation }, { deadline: soon() }).catch((error: unknown) => error);

    expect(ours).to.deep.include({ status: "FAILED_PRECONDITION", message: "not so", reason: "NOT_SO" });
    expect(other).to.deep.include({ status: "INTERNAL", message: "internal error", reason: "INTERNAL" });
  });

  it("refuses a broken rule and malformed bytes before the handler sees them", async () => {
    const gateway = createGateway(listen);
    using relay = gateway.relay;
    await gateway.connected();
    const path = leaseService.methods.renewLease.path;

    const broken = await createClient(leaseService, relay)
      .renewLease({ incarnation: "x" }, { deadline: soon() })
      .catch((error: unknown) => error);
    const malformed = await relay.invoke(path, Buffer.from([0x0a, 0x7f]), { deadline: soon() }).catch((error: unknown) => error);

    expect(broken).to.be.instanceOf(SallyportError).with.nested.property("violations[0].field", "incarnation");
    expect(malformed).to.deep.include({ status: "INVALID_ARGUMENT", reason: "MALFORMED_REQUEST" });
    expect(calls).to.have.length(0);
  });

  it("asks for the token of the method's service", async () => {
    const gateway = createGateway(listen);
    using relay = gateway.relay;
    await gateway.connected();
    const guarded = [...methods.values()].find(({ path }) => path.endsWith("/RenewLease"));

    expect(guarded?.credential).to.equal("none");
    const unknown = await relay
      .invoke("/sallyport.chat.v1.ChatService/Nope", Buffer.alloc(0), { deadline: soon() })
      .catch((error: unknown) => error);
    expect(unknown).to.deep.include({ status: "UNIMPLEMENTED", reason: "METHOD_UNKNOWN" });
  });

  it("tells the handler when the caller cancels, and the caller at once", async () => {
    const gateway = createGateway(listen);
    using relay = gateway.relay;
    await gateway.connected();
    const controller = new AbortController();
    const aborted = new Promise<void>((resolve) => {
      act = (call) =>
        new Promise((_, reject) => {
          call.signal.addEventListener("abort", () => {
            resolve();
            reject(new Error("aborted"));
          });
          controller.abort();
        });
    });

    const error = await createClient(leaseService, relay)
      .renewLease({ incarnation }, { deadline: soon(), signal: controller.signal })
      .catch((reason: unknown) => reason);
    await aborted;

    expect(error).to.deep.include({ status: "CANCELLED" });
  });

  it("gives up at the deadline", async () => {
    const gateway = createGateway(listen);
    using relay = gateway.relay;
    await gateway.connected();
    act = () => new Promise(() => undefined);

    const error = await createClient(leaseService, relay)
      .renewLease({ incarnation }, { deadline: Date.now() + 30 })
      .catch((reason: unknown) => reason);

    expect(error).to.deep.include({ status: "DEADLINE_EXCEEDED" });
  });

  it("brings pushed events in order", async () => {
    const gateway = createGateway(listen);
    using _relay = gateway.relay;
    await gateway.connected();

    for (let epoch = 1; epoch <= 3; epoch += 1) {
      gateways[0]?.push(7, epoch, { kind: { $case: "queueEmpty", value: {} } });
    }
    while (gateway.pushes.length < 3) {
      await gateway.pushed();
    }

    expect(gateway.pushes.map(({ connection, epoch }) => [connection, epoch])).to.deep.equal([
      [7, 1],
      [7, 2],
      [7, 3],
    ]);
  });

  it("fails what waits when the service dies, and connects again when it is back", async () => {
    const gateway = createGateway(listen);
    using relay = gateway.relay;
    await gateway.connected();
    const client = createClient(leaseService, relay);
    const lost = gateway.disconnected();
    const begun = new Promise<void>((resolve) => {
      act = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });

    const waiting = client.renewLease({ incarnation }, { deadline: soon() }).catch((reason: unknown) => reason);
    await begun;
    await server[Symbol.asyncDispose]();
    await lost;
    const meanwhile = await client.renewLease({ incarnation }, { deadline: soon() }).catch((reason: unknown) => reason);
    const back = gateway.connected();
    act = async () => undefined;
    server = await start();
    await back;
    await client.renewLease({ incarnation }, { deadline: soon() });

    expect(await waiting).to.deep.include({ status: "UNAVAILABLE" });
    expect(meanwhile).to.deep.include({ status: "UNAVAILABLE" });
    expect(gateways).to.have.length(1);
  });

  it("answers health checks for the server and for its parts", async () => {
    using channel = new Channel(listen);

    server.setHealth("database", false);
    const down = [await channel.isServing("", soon()), await channel.isServing("database", soon())];
    server.setHealth("database", true);

    expect(down).to.deep.equal([true, false]);
    expect(await channel.isServing("database", soon())).to.equal(true);
  });
});
