import { createFileRegistry, type DescMethodUnary, type FileRegistry, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type ContextKey, createConnectRouter, createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { SallyportError, toSallyportError } from "../platform/errors.ts";
import { image } from "../proto/gen/policy/image.ts";
import { methods } from "../proto/gen/policy/services.ts";
import { connectError } from "./connect-error.ts";
import type { GatewayContext } from "./context.ts";
import { type Audience, forward, type ServedMethod, servedMethod } from "./forward.ts";
import type { Front, Identity } from "./front.ts";
import type { Taken } from "./limits/limits.ts";
import { DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS } from "./socket-calls.ts";

/** The longest request body. */
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

/** What the listener knows of a request's client. */
export interface HttpClient {
  readonly address: string;
  /** Aborts when the client goes away. */
  readonly gone: AbortSignal;
}

/** Where the listener leaves the client of a request. */
export const clientKey: ContextKey<HttpClient> = createContextKey<HttpClient>({ address: "", gone: AbortSignal.abort() });
/** Where the gate leaves what a call took from its limit. */
export const takenKey: ContextKey<Taken> = createContextKey<Taken>({ giveBack: () => undefined });
const identityKey = createContextKey<Identity>({});

/** The descriptors of all protos. */
export function loadRegistry(): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(image, "base64")));
}

/** The handlers of all methods that a front serves, by path: the Connect protocol, unary. */
export function connectHandlers(context: GatewayContext, registry: FileRegistry, front: Front): ReadonlyMap<string, UniversalHandler> {
  const router = createConnectRouter({
    grpc: false,
    grpcWeb: false,
    readMaxBytes: MAX_REQUEST_BYTES,
    writeMaxBytes: front.maxResponseBytes,
    requestGate: (handling) => answering(context, registry, () => admit(context, front, handling)),
  });
  for (const path of methods.keys()) {
    const desc = findServed(registry, path, front.audience);
    if (desc !== undefined) {
      const method = servedMethod(path, front.audience);
      router.rpc(desc, (request: Message, handling: HandlerContext) =>
        answering(context, registry, () => serve(context, desc, method, request, handling)),
      );
    }
  }
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}

/** Before the body is read: who calls, and whether not too often. */
async function admit(
  context: GatewayContext,
  front: Front,
  { method: { parent, name }, requestHeader, values }: HandlerContext,
): Promise<void> {
  const method = servedMethod(`/${parent.typeName}/${name}`, front.audience);
  const { address } = values.get(clientKey);
  const identity = await front.identify(method, requestHeader.get("authorization"), address);
  const taken = context.limits.takeCall(method.limiter, { address, accountId: identity.caller?.accountId });
  values.set(identityKey, identity).set(takenKey, taken);
}

async function serve(
  context: GatewayContext,
  desc: DescMethodUnary,
  method: ServedMethod,
  request: Message,
  handling: HandlerContext,
): Promise<Message> {
  const { address, gone } = handling.values.get(clientKey);
  const deadline = context.clock() + Math.min(handling.timeoutMs() ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
  const options = { ...handling.values.get(identityKey), deadline, address, signal: gone };
  // Fields that this gateway does not know go through.
  return fromBinary(desc.output, await forward(context.services, method, toBinary(desc.input, request), options));
}

/** Says errors the way Connect does, details included. */
async function answering<T>(context: GatewayContext, registry: FileRegistry, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof SallyportError)) {
      context.events.handlingFailed("http", thrown);
    }
    throw connectError(registry, toSallyportError(thrown));
  }
}

function findServed(registry: FileRegistry, path: string, audience: Audience): DescMethodUnary | undefined {
  const [, service = "", name = ""] = path.split("/");
  const desc = registry.getService(service)?.methods.find((candidate) => candidate.name === name);
  return methods.get(path)?.audience === audience && desc?.methodKind === "unary" ? (desc as DescMethodUnary) : undefined;
}
