import { WebSocket } from "ws";
import { type OpenSocket, webSocketOpener } from "./socket.ts";
import { type Surroundings, standardSurroundings } from "./surroundings.ts";

/** Node of any version, with the WebSocket of the package `ws`. Browsers never import this file. */
export function nodeSurroundings(): Surroundings {
  return standardSurroundings(nodeSocketOpener());
}

/** Opens sockets with the package `ws`. */
export function nodeSocketOpener(): OpenSocket {
  return webSocketOpener(
    class extends WebSocket {
      constructor(url: string) {
        super(url, { perMessageDeflate: false });
      }
    },
  );
}
