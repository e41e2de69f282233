/** The name of the replica set that the launcher's own server is the one member of. */
export const REPLICA_SET = "sallyport";

/** The command line of the launcher's own server: loopback only, sized to share a machine with the services, journal on. */
export function mongodArguments(dbPath: string, port: number): readonly string[] {
  const parameters = {
    diagnosticDataCollectionEnabled: false,
    // A one-node set has no secondary to hand over to: there is nothing to linger for at its shutdown.
    shutdownTimeoutMillisForSignaledShutdown: 100,
  };
  return [
    ...["--bind_ip", "127.0.0.1", "--port", String(port), "--nounixsocket", "--noscripting"],
    ...["--dbpath", dbPath, "--replSet", REPLICA_SET],
    ...["--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "512"],
    ...Object.entries(parameters).flatMap(([name, value]) => ["--setParameter", `${name}=${value}`]),
  ];
}

/** The URI by which the services reach the launcher's own server. */
export function mongodUri(port: number): string {
  return `mongodb://127.0.0.1:${port}/sallyport?replicaSet=${REPLICA_SET}`;
}

/** What the exit codes of `mongod` mean that a user can do something about (https://www.mongodb.com/docs/manual/reference/exit-codes/). */
export function explainExitCode(code: number | undefined): string {
  switch (code) {
    case 14:
      return "; its files may be damaged, or the disk full";
    case 48:
      return "; its port is taken";
    case 62:
      return "; its files were written by another version of MongoDB";
    case 100:
      return "; its files are in use by another server, or not accessible";
    default:
      return "";
  }
}
