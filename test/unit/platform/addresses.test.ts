import { expect } from "chai";
import {
  hostPort,
  isOfThisMachine,
  listenAddress,
  listenHost,
  mongodbUri,
  resolvedTarget,
  targetList,
  urlOf,
} from "../../../platform/addresses.ts";

describe("an address in the environment", () => {
  it("of a database names its scheme, its hosts and a database that MongoDB takes", () => {
    const right = [
      "mongodb://127.0.0.1:27017/sallyport",
      "mongodb://127.0.0.1:27500/dev?replicaSet=dev",
      "mongodb://user:p%40ss@one.example:1,two.example:2/name?tls=true&replicaSet=rs",
      "mongodb+srv://cluster.example/",
      "mongodb+srv://cluster.example",
      "mongodb://[::1]:27017",
      "mongodb://%2Frun%2Fmongodb.sock/x",
    ];
    const wrong = ["", "localhost", "http://h/x", "mongodb://", "mongodb:///x", "mongodb://h:port/x", "mongodb://h,/x", "mongodb://h/a.b"];

    expect(right.filter((uri) => !isTaken(mongodbUri, uri))).to.deep.equal([]);
    expect(wrong.filter((uri) => isTaken(mongodbUri, uri))).to.deep.equal([]);
  });

  it("to listen on is a host with its port or a unix socket", () => {
    const right = ["127.0.0.1:0", "localhost:65535", "[::1]:9101", "0.0.0.0:1", "[::]:1", "host.example:1", "unix:/run/x"];
    const wrong = [
      "",
      "127.0.0.1",
      ":1",
      "127.0.0.1:65536",
      "unix:",
      "dns:///127.0.0.1:1",
      "::1:1",
      "a b:1",
      "http://a:1",
      "127.0.0.999:1",
    ];

    expect(right.filter((address) => !isTaken(listenAddress, address))).to.deep.equal([]);
    expect(wrong.filter((address) => isTaken(listenAddress, address))).to.deep.equal([]);
  });

  it("of a host is an IP address or a name", () => {
    const right = [
      "127.0.0.1",
      "0.0.0.0",
      "::",
      "::1",
      "localhost",
      "chat-1.example.com",
      "gateway_1",
      "10.example",
      "a.example.",
      "a".repeat(63),
    ];
    const wrong = [
      "",
      "127.0.0.999",
      "1.2.3",
      "999",
      "not a host",
      "a:1",
      "[a]",
      "::1%lo",
      "a..",
      ".",
      "1.",
      "-a",
      "a-",
      "a".repeat(64),
      `${"a.".repeat(127)}b`,
    ];

    expect(right.filter((one) => !isTaken(listenHost, one))).to.deep.equal([]);
    expect(wrong.filter((one) => isTaken(listenHost, one))).to.deep.equal([]);
    expect(listenHost("[::1]")).to.equal("::1");
  });

  it("is a URL for IPv6 too", () => {
    expect(urlOf("https", "::1", 8280)).to.equal("https://[::1]:8280");
    expect(urlOf("http", "127.0.0.1", 80)).to.equal("http://127.0.0.1:80");
    expect(hostPort("::", 1)).to.equal("[::]:1");
  });

  it("of targets is a list of hosts that can be connected to, with their ports", () => {
    const wrong = ["", ",", "127.0.0.1:0", "a.example", "dns:///a.example", "127.0.0.1:1,:2", "0.0.0.0:1", "[::]:1", "a.example:1/x"];

    expect(targetList("localhost:1, unix:/run/a,[::1]:3,10.0.0.1:4,chat.svc.local.:5")).to.have.lengthOf(5);
    expect(wrong.filter((one) => isTaken(targetList, one))).to.deep.equal([]);
  });

  it("of targets is either a list or one name that is resolved, never both", () => {
    const mixed = ["dns:///a.example:1,dns:///b.example:1", "dns:///a.example:1,127.0.0.1:1", "unix:/run/a,dns:///a.example:1"];

    expect(targetList("dns:///a.example:1")).to.deep.equal(["dns:///a.example:1"]);
    expect(mixed.filter((one) => isTaken(targetList, one))).to.deep.equal([]);
    expect(resolvedTarget(["dns:///a.example:1"])).to.deep.equal({ host: "a.example", port: 1 });
    expect(resolvedTarget(["dns:///[::1]:1"])).to.deep.equal({ host: "::1", port: 1 });
    expect(resolvedTarget(["a.example:1"])).to.equal(undefined);
  });

  it("is of this machine when it is a loopback one or a unix socket", () => {
    const ours = ["127.9.9.9:1", "localhost:1", "[::1]:1", "dns:///localhost:1", "unix:/run/x"];
    const others = [
      "0.0.0.0:1",
      "[::]:1",
      "10.0.0.1:1",
      "host.example:1",
      "dns:///host.example:1",
      "localhost.example:1",
      "127.0.0.1.example:1",
    ];

    expect(ours.filter((address) => !isOfThisMachine(address))).to.deep.equal([]);
    expect(others.filter(isOfThisMachine)).to.deep.equal([]);
  });
});

function isTaken(parse: (value: string) => unknown, value: string): boolean {
  try {
    parse(value);
    return true;
  } catch {
    return false;
  }
}
