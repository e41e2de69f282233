import { join, resolve } from "node:path";
import { expect } from "chai";
import { launcherConfig } from "../../../../bin/launcher/config.ts";
import { ConfigError } from "../../../../platform/env.ts";

describe("the launcher's configuration", () => {
  it("keeps everything under .sallyport by default, and runs a database of its own", () => {
    expect(launcherConfig({})).to.deep.equal({
      dataDirectory: resolve(".sallyport"),
      keysDirectory: resolve(".sallyport", "keys"),
      mongodbUri: undefined,
    });
  });

  it("makes relative directories absolute", () => {
    const config = launcherConfig({ SALLYPORT_DATA_DIR: "here", SALLYPORT_KEYS_DIR: "there" });

    expect(config).to.include({ dataDirectory: join(process.cwd(), "here"), keysDirectory: join(process.cwd(), "there") });
  });

  it("refuses a database URI of another kind", () => {
    expect(() => launcherConfig({ MONGODB_URI: "postgres://db" })).to.throw(ConfigError, "MONGODB_URI: expected mongodb://");
  });
});
