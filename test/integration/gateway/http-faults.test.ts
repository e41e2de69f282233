import { expect } from "chai";
import { quiet } from "./fake-services.ts";
import { startStack } from "./harness.ts";
import { connectRaw, exchangeRaw } from "./raw-http.ts";

const LOGIN = "/sallyport.account.v1.AccountService/Login";
const HANDSHAKE =
  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
const UPGRADE = `GET /connect/chat HTTP/1.1\r\nHost: localhost\r\n${HANDSHAKE}\r\n`;
const CALL = `POST ${LOGIN} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`;

describe("a request whose client resets the connection behind it", () => {
  for (const [title, request] of [
    ["a call", CALL],
    ["an upgrade", UPGRADE],
  ] as const) {
    it(`ends nothing but itself, and is no fault: ${title}`, async () => {
      const failures: string[] = [];
      const error = (_facts: object, what: string): unknown => failures.push(what);
      let opened = (): void => undefined;
      const debug = (_facts: object, what: string): void => {
        if (what === "socket opened") {
          opened();
        }
      };
      await using stack = await startStack({}, {}, {}, { logger: Object.assign(Object.create(quiet), { debug, error }) });
      const { address } = stack.gateway;
      const first = await connectRaw(address);
      const others = await Promise.all(Array.from({ length: 10 }, () => connectRaw(address)));
      // In the turn of the gateway's loop to which all of the requests have come.
      opened = () => {
        for (const socket of others) {
          socket.resetAndDestroy();
        }
      };

      const answer = exchangeRaw(first, UPGRADE);
      for (const socket of others) {
        socket.write(request);
      }
      first.once("data", () => first.end());

      expect(await answer).to.match(/^HTTP\/1\.1 101 /);
      expect((await fetch(address)).status).to.equal(404);
      expect(failures).to.deep.equal([]);
    });
  }
});

describe("a fault of the gateway's own while a request is handled", () => {
  it("cuts the connection of that request, and is logged", async () => {
    const failures: string[] = [];
    const debug = (_facts: object, what: string): void => {
      if (what === "rate limited") {
        throw new Error("a fault");
      }
    };
    const error = ({ where }: { where: string }, what: string): unknown => failures.push(`${where} ${what}`);
    const env = { SALLYPORT_LIMITS: "on", GATEWAY_LIMIT_SOCKETS: "1/day burst 1" };
    await using stack = await startStack({}, env, {}, { logger: Object.assign(Object.create(quiet), { debug, error }) });
    const { address } = stack.gateway;
    const first = await connectRaw(address);
    first.once("data", () => first.end());
    await exchangeRaw(first, UPGRADE);

    const answer = await exchangeRaw(await connectRaw(address), UPGRADE);

    expect(answer).to.equal("");
    expect(failures).to.deep.equal(["http handling failed"]);
    expect((await fetch(address)).status).to.equal(404);
  });

  it("cuts a socket that it has just opened, and ends nothing else", async () => {
    const failures: string[] = [];
    const debug = (_facts: object, what: string): void => {
      if (what === "socket opened") {
        throw new Error("a fault");
      }
    };
    const error = ({ where }: { where: string }, what: string): unknown => failures.push(`${where} ${what}`);
    await using stack = await startStack({}, {}, {}, { logger: Object.assign(Object.create(quiet), { debug, error }) });
    const { address } = stack.gateway;

    await exchangeRaw(await connectRaw(address), UPGRADE);

    expect(failures).to.deep.equal(["socket handling failed"]);
    expect((await fetch(address)).status).to.equal(404);
  });
});
