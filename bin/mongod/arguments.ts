/** The name of the replica set that the launcher's own server is the one member of. */
export const REPLICA_SET = "sallyport";

/** The command line of the launcher's own server: loopback only, sized to share a machine with the services, journal on. */
export function mongodArguments(dbPath: string, port: number): readonly string[] {
  // A one-node set has no secondary to hand over to: there is nothing to linger for at its shutdown.
  const shutdown = parameter("shutdownTimeoutMillisForSignaledShutdown", 100);
  return [...commonArguments(dbPath, port), "--replSet", REPLICA_SET, "--oplogSize", "512", ...shutdown];
}

/** The command line of one of several servers on this machine that make up a replica set: each with a small cache and a small oplog. */
export function memberArguments(dbPath: string, port: number): readonly string[] {
  return [...commonArguments(dbPath, port, "0.25"), "--replSet", REPLICA_SET, "--oplogSize", "128"];
}

/** The command line of the same server outside its replica set, where it must not expire documents, as nobody would hear of that. */
export function loneMongodArguments(dbPath: string, port: number): readonly string[] {
  return [...commonArguments(dbPath, port), ...parameter("ttlMonitorEnabled", false)];
}

/** The URI by which the services reach the launcher's own server. */
export function mongodUri(port: number): string {
  return `mongodb://127.0.0.1:${port}/sallyport?replicaSet=${REPLICA_SET}`;
}

/** The exit codes of `mongod` that a user can do something about (https://www.mongodb.com/docs/manual/reference/exit-codes/). */
const EXIT_CODES: ReadonlyMap<number | undefined, string> = new Map([
  [14, "its files may be damaged, or the disk full"],
  [48, "its port is taken"],
  [62, "its files were written by another version of MongoDB"],
  [100, "its files are in use by another server, or not accessible"],
]);

/** What an exit code of `mongod` means, as the rest of a sentence. Empty when it means nothing in particular. */
export function explainExitCode(code: number | undefined): string {
  const meaning = EXIT_CODES.get(code);
  return meaning === undefined ? "" : `; ${meaning}`;
}

function commonArguments(dbPath: string, port: number, cacheGb = "0.5"): readonly string[] {
  const network = ["--bind_ip", "127.0.0.1", "--port", String(port), "--nounixsocket"];
  const storage = ["--dbpath", dbPath, "--wiredTigerCacheSizeGB", cacheGb];
  return [...network, ...storage, "--noscripting", ...parameter("diagnosticDataCollectionEnabled", false)];
}

function parameter(name: string, value: number | boolean): readonly string[] {
  return ["--setParameter", `${name}=${value}`];
}
