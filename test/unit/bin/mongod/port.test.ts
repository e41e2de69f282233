import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { choosePort, isListening, parsePort, recordPort } from "../../../../bin/mongod/port.ts";

describe("the port of the embedded database", () => {
  it("is the recorded one while it is free, and another while it is not", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sallyport-port-"));
    const file = join(directory, "port");
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await recordPort(file, port);

    const whileTaken = await choosePort(file);
    const listening = await isListening(port);
    server.close();
    await once(server, "close");

    expect(listening).to.equal(true);
    expect(whileTaken.isRecorded).to.equal(false);
    expect(whileTaken.port).to.be.greaterThan(0).and.not.equal(port);
    expect(await choosePort(file)).to.deep.equal({ port, isRecorded: true });
    expect(await isListening(port)).to.equal(false);
    await rm(directory, { recursive: true });
  });

  it("is read back as it was recorded, and from nothing else", () => {
    expect(parsePort("27017\n")).to.equal(27_017);
    for (const text of ["", "0", "65536", "27017a", "-1", "1e3"]) {
      expect(parsePort(text), text).to.equal(undefined);
    }
  });
});
