import { nodeSurroundings } from "../../client/node.ts";
import type { OpenSocket } from "../../client/socket.ts";
import type { Surroundings } from "../../client/surroundings.ts";

/** Something that went over the wire, with its size in bytes. */
export interface Passage {
  readonly way: "up" | "down";
  readonly kind: "Binary" | "Text" | "HTTP";
  readonly bytes: number;
}

/** The client library's surroundings, with a record of what passes. */
export interface WireTap {
  readonly surroundings: Surroundings;
  /** What has passed since this was last asked. */
  readonly take: () => readonly Passage[];
}

/** Listens to all that a client of the library sends and gets: frames, and the bodies of HTTP requests and answers. */
export function tapWire(): WireTap {
  const inner = nodeSurroundings();
  let passages: Passage[] = [];
  const note = (way: Passage["way"], kind: Passage["kind"], bytes: number): void => {
    passages.push({ way, kind, bytes });
  };
  return {
    surroundings: { ...inner, openSocket: tapSocket(inner.openSocket, note), fetch: tapFetch(inner.fetch, note) },
    take: () => {
      const taken = passages;
      passages = [];
      return taken;
    },
  };
}

type Note = (way: Passage["way"], kind: Passage["kind"], bytes: number) => void;

function tapSocket(openSocket: OpenSocket, note: Note): OpenSocket {
  return (url, listener) => {
    const socket = openSocket(url, {
      opened: () => listener.opened(),
      binary: (bytes) => {
        note("down", "Binary", bytes.length);
        listener.binary(bytes);
      },
      text: (text) => {
        note("down", "Text", Buffer.byteLength(text));
        listener.text(text);
      },
      closed: (code, reason) => listener.closed(code, reason),
    });
    return {
      send: (bytes) => {
        note("up", "Binary", bytes.length);
        socket.send(bytes);
      },
      close: () => socket.close(),
    };
  };
}

function tapFetch(fetch: Surroundings["fetch"], note: Note): Surroundings["fetch"] {
  return async (resource, init) => {
    note("up", "HTTP", init?.body instanceof Uint8Array ? init.body.length : 0);
    const response = await fetch(resource, init);
    note("down", "HTTP", (await response.clone().arrayBuffer()).byteLength);
    return response;
  };
}
