import { createRequire } from "node:module";

/** The floor of everything on sockets: a bare uWebSockets.js server that sends back what it is sent. It says its port to its parent. */
const uws = createRequire(import.meta.url)("uWebSockets.js") as typeof import("uWebSockets.js");

uws
  .App()
  .ws("/*", {
    idleTimeout: 0,
    maxPayloadLength: 262_144,
    message: (ws, message, isBinary) => {
      ws.send(message, isBinary);
    },
  })
  .listen("127.0.0.1", 0, (listening) => {
    if (listening === false) {
      process.exit(1);
    }
    process.send?.({ port: uws.us_socket_local_port(listening) });
  });
process.on("disconnect", () => process.exit(0));
