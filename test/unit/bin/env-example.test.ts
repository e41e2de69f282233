import { readFile } from "node:fs/promises";
import { expect } from "chai";
import { variableTables } from "../../../bin/configuration.ts";
import { renderEnvExample } from "../../../bin/reference.ts";

describe(".env.example", () => {
  it("is what `sallyport config --env` prints", async () => {
    const committed = await readFile(new URL("../../../.env.example", import.meta.url), "utf8");

    expect(committed).to.equal(renderEnvExample(variableTables));
  });
});
