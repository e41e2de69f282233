import { SallyportError } from "../platform/errors.ts";
import type { CallOptions } from "../platform/rpc/client.ts";
import { methods } from "../proto/gen/policy/services.ts";
import type { MethodPolicy, ServiceName } from "../proto/method.ts";
import type { Services } from "./relay.ts";
import { MalformedError, WireReader, WireType } from "./wire-reader.ts";

/** Who may call from outside: apps or operators. */
export type Audience = Exclude<MethodPolicy["audience"], "internal">;

/** A method that is served to somebody outside; it names the service that owns it. */
export interface ServedMethod extends MethodPolicy {
  readonly owner: ServiceName;
}

/** The method of a path that an audience may call. @throws SallyportError UNIMPLEMENTED for any other path. */
export function servedMethod(path: string, audience: Audience): ServedMethod {
  const method = methods.get(path);
  if (method === undefined || method.audience !== audience || !isOwned(method)) {
    throw new SallyportError("UNIMPLEMENTED", "no such method", { reason: "METHOD_UNKNOWN" });
  }
  return method;
}

function isOwned(method: MethodPolicy): method is ServedMethod {
  return method.owner !== "relay";
}

/** The method of a path that apps may call. @throws SallyportError UNIMPLEMENTED for any other path. */
export function publicMethod(path: string): ServedMethod {
  return servedMethod(path, "public");
}

/** Sends a client's request to the service copy that the method's policy picks, its bytes untouched. Rejects with SallyportError. */
export function forward(services: Services, method: ServedMethod, request: Uint8Array, options: CallOptions): Promise<Uint8Array> {
  const key = affinityKey(method, request) || (options.caller?.accountId ?? options.address ?? "");
  const { relay } = services[method.owner].pick(key);
  return (method.route === "relay" ? relay : relay.channel).invoke(method.path, request, options);
}

/** The value of the request's field that picks the copy, in lower case; empty when there is none. */
function affinityKey({ affinityField }: MethodPolicy, request: Uint8Array): string {
  if (affinityField === 0) {
    return "";
  }
  try {
    const reader = new WireReader(request);
    let value = "";
    while (reader.next()) {
      if (reader.field === affinityField && reader.wireType === WireType.BYTES) {
        value = reader.string();
      } else {
        reader.skip();
      }
    }
    return value.toLowerCase();
  } catch (error) {
    if (error instanceof MalformedError) {
      // The service says what is wrong with it.
      return "";
    }
    throw error;
  }
}
