import { createFileRegistry, type DescMethodUnary, type FileRegistry, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { type ContextKey, createConnectRouter, createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { SallyportError, toSallyportError } from "../platform/errors.ts";
import type { Caller } from "../platform/rpc/call.ts";
import { image } from "../proto/gen/policy/image.ts";
import { methods } from "../proto/gen/policy/services.ts";
import { connectError } from "./connect-error.ts";
import type { GatewayContext } from "./context.ts";
import { forward, type PublicMethod, publicMethod } from "./forward.ts";
import { DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS } from "./socket-calls.ts";

/** The longest request body and the longest response, in bytes. */
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;
const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;

/** What the listener knows of a request's client. */
export interface HttpClient {
  readonly address: string;
  /** Aborts when the client goes away. */
  readonly gone: AbortSignal;
}

/** Where the listener leaves the client of a request. */
export const clientKey: ContextKey<HttpClient> = createContextKey<HttpClient>({ address: "", gone: AbortSignal.abort() });
const callerKey = createContextKey<Caller | undefined>(undefined);

/** The descriptors of all protos. */
export function loadRegistry(): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(image, "base64")));
}

/** The handlers of all public methods, by path: the Connect protocol, unary. */
export function connectHandlers(context: GatewayContext, registry: FileRegistry): ReadonlyMap<string, UniversalHandler> {
  const router = createConnectRouter({
    grpc: false,
    grpcWeb: false,
    readMaxBytes: MAX_REQUEST_BYTES,
    writeMaxBytes: MAX_RESPONSE_BYTES,
    requestGate: (handling) => answering(context, registry, () => admit(context, handling)),
  });
  for (const path of methods.keys()) {
    const desc = findPublic(registry, path);
    if (desc !== undefined) {
      const method = publicMethod(path);
      router.rpc(desc, (request: Message, handling: HandlerContext) =>
        answering(context, registry, () => serve(context, desc, method, request, handling)),
      );
    }
  }
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}

/** Before the body is read: who calls. */
async function admit(context: GatewayContext, { method, requestHeader, values }: HandlerContext): Promise<void> {
  const { credential } = publicMethod(`/${method.parent.typeName}/${method.name}`);
  if (credential === "account" || credential === "chat") {
    const { address } = values.get(clientKey);
    values.set(callerKey, await context.access.check(requestHeader.get("authorization"), credential, address));
  }
}

async function serve(
  context: GatewayContext,
  desc: DescMethodUnary,
  method: PublicMethod,
  request: Message,
  handling: HandlerContext,
): Promise<Message> {
  const { address, gone } = handling.values.get(clientKey);
  const deadline = context.clock() + Math.min(handling.timeoutMs() ?? DEFAULT_TIMEOUT_MS, MAX_TIMEOUT_MS);
  const options = { caller: handling.values.get(callerKey), deadline, address, signal: gone };
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

function findPublic(registry: FileRegistry, path: string): DescMethodUnary | undefined {
  const [, service = "", name = ""] = path.split("/");
  const desc = registry.getService(service)?.methods.find((candidate) => candidate.name === name);
  return methods.get(path)?.audience === "public" && desc?.methodKind === "unary" ? (desc as DescMethodUnary) : undefined;
}
