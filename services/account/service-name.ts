import { invalidArgument } from "../../platform/errors.ts";
import type { ServiceName } from "../../proto/method.ts";

/** The services that a login gives tokens for. */
export const SERVICE_NAMES: readonly ServiceName[] = ["account", "chat"];

/** A service by its name. @throws SallyportError INVALID_ARGUMENT when there is none of that name. */
export function parseServiceName(name: string): ServiceName {
  const service = SERVICE_NAMES.find((candidate) => candidate === name);
  if (service === undefined) {
    throw invalidArgument([{ field: "service", description: `must be one of ${SERVICE_NAMES.join(", ")}` }]);
  }
  return service;
}
