/** The flags of Node for a process that serves: room for what lives as long as a call, so that it is not carried on by the garbage collection. */
export const SERVING_FLAGS: readonly string[] = ["--max-semi-space-size=32"];
