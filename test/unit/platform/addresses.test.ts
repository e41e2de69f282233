import { expect } from "chai";
import { listenAddress, mongodbUri, targetList } from "../../../platform/addresses.ts";

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

  it("to listen on is a loopback one or a unix socket", () => {
    const right = ["127.0.0.1:0", "127.9.9.9:1", "localhost:65535", "[::1]:9101", "unix:/run/x"];
    const wrong = ["", "127.0.0.1", ":1", "0.0.0.0:1", "127.0.0.1:65536", "unix:", "dns:///127.0.0.1:1", "::1:1", "host.example:1"];

    expect(right.filter((address) => !isTaken(listenAddress, address))).to.deep.equal([]);
    expect(wrong.filter((address) => isTaken(listenAddress, address))).to.deep.equal([]);
  });

  it("of targets is a list of loopback ones", () => {
    expect(targetList("localhost:1, unix:/run/a,dns:///127.0.0.1:2,[::1]:3")).to.have.lengthOf(4);
    expect(["", ",", "127.0.0.1:0", "a.example:1", "127.0.0.1:1,b.example:1"].filter((one) => isTaken(targetList, one))).to.deep.equal([]);
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
