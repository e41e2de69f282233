import type { MetricsServiceRpcs } from "../../proto/gen/policy/services.ts";
import type { Metrics } from "../metrics.ts";
import type { Handlers } from "./call.ts";

/** MetricsService, which every service offers to gateways. */
export function metricsHandlers(metrics: Metrics): Handlers<MetricsServiceRpcs> {
  return { readMetrics: async () => ({ families: await metrics.read() }) };
}
