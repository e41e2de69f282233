import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

const ROOT = resolve(import.meta.dirname, "../../..");
const MODULES = JSON.stringify({
  version: "v2",
  modules: [
    { path: "proto", excludes: ["proto/gen", "proto/plugin"] },
    {
      path: "node_modules/google-proto-files",
      includes: ["node_modules/google-proto-files/google/rpc"],
      excludes: ["node_modules/google-proto-files/google/rpc/context"],
    },
    { path: "test/unit/proto/fixtures" },
  ],
});

describe("the generator", () => {
  it("refuses a method, a field and a oneof without policy, and names each", () => {
    const { status, stderr, made } = generate(MODULES);

    expect(status).to.not.equal(0);
    expect(stderr).to.include("without policy");
    expect(stderr).to.include("rpc sallyport.fixture.v1.GapService.Forgotten");
    expect(stderr).to.include("field sallyport.fixture.v1.ForgottenRequest.bare");
    expect(stderr).to.include("oneof sallyport.fixture.v1.ForgottenRequest.undecided");
    expect(stderr).to.include("message sallyport.fixture.v1.ForgottenRequest.Nested");
    expect(stderr).to.not.include("covered");
    expect(made).to.deep.equal([]);
  }).timeout(60_000);
});

function generate(modules: string): { status: number | null; stderr: string; made: string[] } {
  const out = mkdtempSync(join(tmpdir(), "sallyport-generate-"));
  const plugins = [{ local: ["node", "--import", "tsx", "proto/plugin/plugin.ts"], out, strategy: "all", opt: "target=ts" }];
  const template = JSON.stringify({ version: "v2", plugins });
  const buf = join(ROOT, "node_modules/.bin/buf");
  const { status, stderr } = spawnSync(buf, ["generate", "--config", modules, "--template", template], { cwd: ROOT, encoding: "utf8" });
  const made = readdirSync(out);
  rmSync(out, { recursive: true });
  return { status, stderr, made };
}
