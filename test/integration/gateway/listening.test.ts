import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { gatewayConfig } from "../../../gateway/config.ts";
import { startGateway } from "../../../gateway/server.ts";
import { quiet } from "./fake-services.ts";
import { startStack } from "./harness.ts";

describe("the addresses of a gateway", () => {
  it("are URLs, for IPv6 too", async () => {
    await using stack = await startStack({}, { GATEWAY_HOST: "::1", GATEWAY_ADMIN_HOST: "[::1]" });
    const { address, adminAddress } = stack.gateway;

    const answers = [await fetch(address), await fetch(`${adminAddress}/livez`)];

    expect([address, adminAddress].map((url) => url.replace(/\d+$/, ""))).to.deep.equal(["http://[::1]:", "http://[::1]:"]);
    expect(answers.map(({ status }) => status)).to.deep.equal([404, 200]);
  });

  for (const name of ["GATEWAY_PORT", "GATEWAY_ADMIN_PORT"]) {
    it(`that are taken are told with the name of ${name}`, async () => {
      const directory = await mkdtemp(join(tmpdir(), "sallyport-gateway-"));
      await using squatter = createServer().listen(0, "127.0.0.1");
      await once(squatter, "listening");
      const { port } = squatter.address() as { port: number };

      const config = gatewayConfig({ GATEWAY_PORT: "0", GATEWAY_ADMIN_PORT: "0", SALLYPORT_DATA_DIR: directory, [name]: `${port}` });

      const failure = await startGateway(config, quiet).catch((error: unknown) => error);
      await rm(directory, { recursive: true });

      expect(failure).to.be.an("error").with.property("message", `${name}: cannot listen on 127.0.0.1:${port}`);
    });
  }
});
