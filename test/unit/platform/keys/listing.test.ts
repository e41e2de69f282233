import { utimes } from "node:fs/promises";
import { expect } from "chai";
import { listKeys } from "../../../../platform/keys/listing.ts";
import { placeOf } from "../../../../platform/keys/place.ts";
import { publishKeys, rotateKeys } from "../../../../platform/keys/rotation.ts";
import { keyFolder } from "./folder.ts";

describe("the list of keys", () => {
  it("says of each key its state, since when, and until when a retired one is needed", async () => {
    await using folder = await keyFolder();
    const [first] = await folder.kids("token");
    const [second] = await rotateKeys(folder.path, { kinds: ["token"] });
    const [third] = await publishKeys(folder.path, { kinds: ["token"] });
    const since = new Date("2026-01-01T00:00:00.000Z");
    for (const name of ["token.key", "token-next.key", `token-${first}.key`]) {
      await utimes(folder.file(name), since, since);
    }

    const keys = await listKeys(placeOf(folder.path, "token"));

    expect(keys).to.deep.equal([
      { kind: "token", kid: second?.kid, state: "active", since, keptUntil: undefined },
      { kind: "token", kid: third?.kid, state: "published", since, keptUntil: undefined },
      { kind: "token", kid: first, state: "retired", since, keptUntil: new Date("2026-04-11T00:00:00.000Z") },
    ]);
  });
});
