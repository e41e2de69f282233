import { atMost } from "../lifecycle.ts";
import type { RpcServer } from "./server.ts";

/** So long what a service has begun besides calls may take to end: who stops it kills it 10 s after its drain of up to 5 s has begun. */
const REST_MS = 3_000;

/** Ends a service: takes its leave of the gateways, then ends its parts. A database that hangs holds up neither for long: what waits for it is left. */
export async function endService(server: Pick<RpcServer, "drain">, parts: AsyncDisposable, restMs: number = REST_MS): Promise<void> {
  await server.drain();
  await atMost(restMs, parts[Symbol.asyncDispose]());
}
