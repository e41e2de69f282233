import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { removeStaleSocket, unixPath } from "../../../../bin/launcher/stale-socket.ts";

describe("a service's unix socket", () => {
  it("is where its listen address says", () => {
    expect(unixPath("unix:/run/chat.sock")).to.equal("/run/chat.sock");
    expect(unixPath("unix:///run/chat.sock")).to.equal("/run/chat.sock");
    expect(unixPath("127.0.0.1:9000")).to.equal(undefined);
    expect(unixPath(undefined)).to.equal(undefined);
  });

  it("stays while somebody listens on it", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sallyport-socket-"));
    const server = createServer().listen(join(directory, "chat.sock"));
    await once(server, "listening");

    await removeStaleSocket(`unix:${join(directory, "chat.sock")}`);
    const present = await readdir(directory);
    server.close();
    await once(server, "close");

    expect(present).to.deep.equal(["chat.sock"]);
    await rm(directory, { recursive: true });
  });
});
