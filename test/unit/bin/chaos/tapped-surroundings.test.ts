import { expect } from "chai";
import { GatewayRotation } from "../../../../bin/chaos/gateway-rotation.ts";
import { tapSurroundings } from "../../../../bin/chaos/tapped-surroundings.ts";
import type { SocketListener } from "../../../../client/socket.ts";
import type { Surroundings } from "../../../../client/surroundings.ts";

const URLS = ["http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3"];
const SILENT: SocketListener = { opened: () => {}, binary: () => {}, text: () => {}, closed: () => {} };

/** Tapped surroundings over which nothing goes anywhere: what was opened, fetched, seen and heard is written down. */
function tapped({ unreachable = [] as readonly string[] } = {}): {
  surroundings: Surroundings;
  opened: { url: string; listener: SocketListener }[];
  fetched: string[];
  story: string[];
} {
  const opened: { url: string; listener: SocketListener }[] = [];
  const fetched: string[] = [];
  const story: string[] = [];
  const inner: Surroundings = {
    openSocket: (url, listener) => {
      opened.push({ url, listener });
      return { send: () => {}, close: () => {} };
    },
    fetch: async (resource) => {
      const target = resource instanceof Request ? resource.url : `${resource}`;
      fetched.push(target);
      if (unreachable.some((url) => target.startsWith(url))) {
        throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
      }
      return new Response();
    },
    now: () => 0,
    after: () => () => {},
    random: () => 0,
  };
  const surroundings = tapSurroundings(inner, new GatewayRotation(URLS, 0), {
    called: () => story.push("called"),
    socketOpened: () => ({
      exchanged: () => story.push("exchanged"),
      displaced: () => story.push("displaced"),
      ended: () => story.push("ended"),
    }),
    heard: ({ type }) => story.push(`heard ${type}`),
  });
  return { surroundings, opened, fetched, story };
}

describe("tapped surroundings", () => {
  it("spread sockets over the gateways in turn, by the path that the library asks for", () => {
    const { surroundings, opened } = tapped();

    for (let socket = 0; socket < 4; socket += 1) {
      surroundings.openSocket("ws://127.0.0.1:1/connect/account,chat", SILENT);
    }

    expect(opened.map(({ url }) => url)).to.deep.equal([2, 3, 1, 2].map((port) => `ws://127.0.0.1:${port}/connect/account,chat`));
  });

  it("count the calls of a socket: not its tokens, whatever their first byte, nor other frames", () => {
    const { surroundings, story } = tapped();
    const socket = surroundings.openSocket("ws://127.0.0.1:1/connect/account,chat", SILENT);

    for (const first of [0x0a, 0x0a, 0x22, 0x12, 0x0a]) {
      socket.send(Uint8Array.of(first, 0));
    }

    expect(story).to.deep.equal(["called"]);
  });

  it("tell when a socket has its tokens, what it hears, and when it ends", () => {
    const { surroundings, opened, story } = tapped();
    surroundings.openSocket("ws://127.0.0.1:1/connect/chat", SILENT);
    const listener = opened[0]?.listener as SocketListener;

    listener.binary(new Uint8Array(1024));
    listener.binary(new Uint8Array(32));
    listener.text('{"queueEmpty":{}}');
    listener.text('{"displaced":{}}');
    listener.closed(4409, "");

    expect(story).to.deep.equal(["exchanged", "heard queueEmpty", "displaced", "heard displaced", "displaced", "ended"]);
  });

  it("hear nothing on a socket that its client has closed", () => {
    const { surroundings, opened, story } = tapped();
    const socket = surroundings.openSocket("ws://127.0.0.1:1/connect/chat", SILENT);

    socket.close();
    opened[0]?.listener.text('{"queueEmpty":{}}');

    expect(story).to.deep.equal(["ended"]);
  });

  it("make an HTTP call at the next gateway that listens, which is one call", async () => {
    const { surroundings, fetched, story } = tapped({ unreachable: ["http://127.0.0.1:2"] });

    await surroundings.fetch("http://127.0.0.1:1/sallyport.chat.v1.ChatService/ListPending", {});

    expect(fetched).to.deep.equal([2, 3].map((port) => `http://127.0.0.1:${port}/sallyport.chat.v1.ChatService/ListPending`));
    expect(story).to.deep.equal(["called"]);
  });

  it("fail an HTTP call when no gateway listens", async () => {
    const { surroundings, fetched } = tapped({ unreachable: URLS });

    const failure = await surroundings.fetch("http://127.0.0.1:1/path", {}).catch((error: unknown) => error);

    expect(failure).to.be.instanceOf(TypeError);
    expect(fetched).to.have.length(3);
  });
});
