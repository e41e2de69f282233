import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SallyportError } from "../../../platform/errors.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { createLogger } from "../../../platform/logger.ts";
import { type Call, implement } from "../../../platform/rpc/call.ts";
import { type Client, createClient } from "../../../platform/rpc/client.ts";
import { RelayClient } from "../../../platform/rpc/relay-client.ts";
import { type RpcServer, startRpcServer } from "../../../platform/rpc/server.ts";
import { type LeaseServiceRpcs, leaseService } from "../../../proto/gen/policy/services.ts";

/** Any UUID. */
export const ID: string = "0f8fad5b-d9cb-469f-a165-70867728950e";

/** A deadline that nothing here waits for. */
export const soon = (): number => Date.now() + 10_000;

/** A service on a unix socket whose calls a test ends, and the folder that it is in. */
export interface RelayBench extends AsyncDisposable {
  readonly folder: string;
  readonly target: string;
  readonly server: RpcServer;
  /** Emits `began` with each call that has begun, `joined` and `left` with gateways. */
  readonly seen: EventEmitter;
  /** How a call goes on. */
  act: (call: Call) => Promise<void>;
}

/** Starts a service whose LeaseService does what `act` says; its run has an id where one is given. */
export async function openRelayBench(copy?: string): Promise<RelayBench> {
  const parts = new Disposables();
  const folder = await mkdtemp(join(tmpdir(), "sallyport-relay-"));
  parts.defer(() => rm(folder, { recursive: true }));
  const seen = new EventEmitter();
  const serve = async (_: unknown, call: Call): Promise<Record<string, never>> => {
    seen.emit("began", call);
    await bench.act(call);
    return {};
  };
  const target = `unix:${join(folder, "service")}`;
  const config = {
    listen: target,
    implementations: implement(leaseService, { renewLease: serve, endLease: serve }),
    observer: {
      gatewayJoined: (gateway: unknown) => void seen.emit("joined", gateway),
      gatewayLeft: (gateway: unknown) => void seen.emit("left", gateway),
    },
    ...(copy === undefined ? {} : { copy }),
  };
  const server = parts.use(await startRpcServer(config, createLogger("test", "silent")));
  const act = async (): Promise<void> => undefined;
  const bench: RelayBench = { folder, target, server, seen, act, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
  return bench;
}

/** A gateway's end of a relay stream: what it hears is emitted by name. */
export interface RelayEnd extends Disposable {
  readonly relay: RelayClient;
  readonly leases: Client<LeaseServiceRpcs>;
  readonly heard: EventEmitter;
  readonly log: string[];
}

/** Opens a relay stream that asks for a sign of life every `tickMs`; does not wait for it to stand. */
export function openRelay(target: string, tickMs?: number): RelayEnd {
  const heard = new EventEmitter();
  const log: string[] = [];
  const hear =
    (name: string) =>
    (...facts: unknown[]): void => {
      log.push(name);
      heard.emit(name, ...facts);
    };
  const listener = {
    connected: hear("connected"),
    disconnected: hear("disconnected"),
    leaving: hear("leaving"),
    silent: hear("silent"),
    unreachable: hear("unreachable"),
    pushed: hear("pushed"),
    revoked: hear("revoked"),
  };
  const relay = new RelayClient(target, randomUUID(), listener, { tickMs });
  return { relay, leases: createClient(leaseService, relay), heard, log, [Symbol.dispose]: () => relay[Symbol.dispose]() };
}

/** The same, standing. */
export async function connectRelay(target: string, tickMs?: number): Promise<RelayEnd> {
  const end = openRelay(target, tickMs);
  await once(end.heard, "connected");
  return end;
}

/** How a call ended: OK, or the reason of its error. */
export function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "OK",
    (error: SallyportError) => `${error.status} ${error.reason}`,
  );
}
