import type { FileRegistry } from "@bufbuild/protobuf";
import type { Clock } from "../platform/clock.ts";
import type { AccessChecks } from "./access.ts";
import type { Cleanup } from "./cleanup.ts";
import type { GatewayConfig } from "./config.ts";
import type { GatewayEvents } from "./events.ts";
import type { Hub } from "./hub.ts";
import type { Limits } from "./limits/limits.ts";
import type { PauseWatch } from "./pause-watch.ts";
import type { Services } from "./relay.ts";
import type { TimerWheel } from "./timer-wheel.ts";

/** What all sockets and calls of one gateway share. */
export interface GatewayContext {
  readonly config: GatewayConfig;
  /** One run of this process. */
  readonly incarnation: string;
  /** The descriptors of all protos. */
  readonly registry: FileRegistry;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly events: GatewayEvents;
  readonly wheel: TimerWheel;
  readonly pauses: Pick<PauseWatch, "lagMs">;
  readonly services: Services;
  readonly hub: Hub;
  readonly access: AccessChecks;
  readonly cleanup: Cleanup;
  readonly limits: Limits;
}
