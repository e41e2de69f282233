import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { MongoClient } from "mongodb";
import { initKeys } from "../../platform/keys/rotation.ts";
import { freshDatabaseUri } from "../support/mongod.ts";
import { failToStart, startRoleProcess } from "../support/role-process.ts";

const ROLES = ["account", "chat"] as const;

describe("a database of a newer version", () => {
  for (const role of ROLES) {
    it(`keeps the ${role} service from starting, with one clear message`, async () => {
      const directory = await mkdtemp(join(tmpdir(), "sallyport-newer-"));
      await initKeys(join(directory, "keys"));
      const uri = freshDatabaseUri();
      const client = await MongoClient.connect(uri);
      const db = client.db(`${/test_[0-9a-f]+/.exec(uri)?.[0]}_${role}`);
      const listen = `unix:${join(directory, "listen.sock")}`;
      const env = { MONGODB_URI: uri, SALLYPORT_DATA_DIR: directory, ACCOUNT_LISTEN: listen, CHAT_LISTEN: listen };
      try {
        const process = await startRoleProcess(role, env);
        await process[Symbol.asyncDispose]();
        await db.collection("schema").updateOne({}, { $inc: { version: 1 } });

        const { code, message } = await failToStart(role, env);

        expect(code).to.equal(1);
        expect(
          message
            .trim()
            .split("\n")
            .filter((line) => !line.startsWith("{")),
        ).to.have.length(1);
        expect(message).to.match(/sallyport: the database test_\w+ is of version 3, and this program knows only version 2: run .+/);
      } finally {
        await db.dropDatabase();
        await client.close();
        await rm(directory, { recursive: true });
      }
    });
  }
});
