import { createRequire } from "node:module";

/** uWebSockets.js. */
export type Uws = typeof import("uWebSockets.js");

/**
 * Loads uWebSockets.js, a CommonJS module whose names Node does not find when it is imported.
 * @throws Error that says what to do, when its binary does not load on this machine.
 */
export function loadUws(): Uws {
  try {
    const uws = createRequire(import.meta.url)("uWebSockets.js") as Uws & { _cfg(key: string): void };
    // Undeclared; without it, every answer carries a header that names the library.
    uws._cfg("silent");
    return uws;
  } catch (cause) {
    const here = `Node ${process.versions.node} on ${process.platform} ${process.arch}`;
    throw new Error(
      `uWebSockets.js has no binary that loads here (${here}). Use Node 20 with glibc 2.27 or later, ` +
        `or override the dependency with a release of uNetworking/uWebSockets.js that is built for this system.`,
      { cause },
    );
  }
}
