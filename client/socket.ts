/** One WebSocket, as far as the library needs it. */
export interface Socket {
  send(bytes: Uint8Array): void;
  /** Ends it with 1000; `closed` follows. */
  close(): void;
}

/** What a socket tells. After `closed`, which comes exactly once, nothing more. */
export interface SocketListener {
  opened(): void;
  binary(bytes: Uint8Array): void;
  text(text: string): void;
  /** The close code (1006 when there was no close frame) and its reason. */
  closed(code: number, reason: string): void;
}

/** Opens a WebSocket. Failing to connect is told as `closed`. */
export type OpenSocket = (url: string, listener: SocketListener) => Socket;

/** The part of the WebSocket interface (https://websockets.spec.whatwg.org) that browsers, Node and the package `ws` share. */
export interface WebSocketLike {
  binaryType: string;
  onopen: ((event: never) => unknown) | null;
  onmessage: ((event: never) => unknown) | null;
  onclose: ((event: never) => unknown) | null;
  onerror: ((event: never) => unknown) | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(code: number): void;
}

/** Opens sockets with a WebSocket class. */
export function webSocketOpener(WebSocketClass: new (url: string) => WebSocketLike): OpenSocket {
  return (url, listener) => {
    const socket = new WebSocketClass(url);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => listener.opened();
    socket.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
      if (typeof data === "string") {
        listener.text(data);
      } else {
        listener.binary(new Uint8Array(data));
      }
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => listener.closed(code, reason);
    // What went wrong is told by the close event, which always follows.
    socket.onerror = () => undefined;
    return {
      // None of our bytes live in shared memory.
      send: (bytes) => socket.send(bytes as Uint8Array<ArrayBuffer>),
      close: () => socket.close(1000),
    };
  };
}
