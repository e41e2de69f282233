import type { Metrics } from "./metrics.ts";

/** Shows whether a process reaches its database: as it is told, and at first that it does. */
export function addDatabaseGauge(metrics: Metrics): (isReachable: boolean) => void {
  let value = 1;
  metrics.gauge("sallyport_database_reachable", "1 while a primary of the database answers this process, else 0.", [], () => [[value]]);
  return (isReachable) => {
    value = isReachable ? 1 : 0;
  };
}
