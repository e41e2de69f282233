import { type ExecFileOptions, execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { ROOT } from "../support/source-tree.ts";
import { type Stack, sharedStack } from "../support/stack.ts";

const run = promisify(execFile);
const WITNESS = join(ROOT, "test/e2e/witness");
const REQUIREMENTS = join(WITNESS, "requirements.txt");

describe("a client of another make (Python)", () => {
  let stack: Stack;
  let packages: string;

  before(async function () {
    this.timeout(300_000);
    packages = await installPackages();
    stack = await sharedStack();
  });

  it("walks the whole contract, knowing only its text and its protos", async () => {
    const { failed, output } = await walk(packages, stack.httpUrl);

    expect(failed, output).to.equal(false);
    expect(output).to.include("all checks passed");
  }).timeout(120_000);
});

/** Installs what the witness imports, once for each version of its requirements. Answers the folder. */
async function installPackages(): Promise<string> {
  const digest = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 12);
  const folder = join(ROOT, ".venv", `witness-${digest}`);
  if (existsSync(folder)) {
    return folder;
  }
  // Under another name until it is whole, so that a run that was interrupted leaves nothing that looks finished.
  const unfinished = `${folder}-${process.pid}`;
  mkdirSync(join(ROOT, ".venv"), { recursive: true });
  const quiet = ["--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS];
  const venv = join(unfinished, "venv");
  try {
    await run("python3", ["-m", "venv", venv]);
    await run(join(venv, "bin/pip"), ["install", ...quiet, "--target", join(unfinished, "packages")]);
  } catch {
    // Debian has venv and pip in packages of their own: one may be there without the other.
    await run("python3", ["-m", "pip", "install", ...quiet, "--target", join(unfinished, "packages")]);
  }
  rmSync(venv, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return folder;
}

async function walk(packages: string, httpUrl: string): Promise<{ failed: boolean; output: string }> {
  const options: ExecFileOptions = {
    env: { PATH: process.env["PATH"], PYTHONPATH: join(packages, "packages"), PYTHONDONTWRITEBYTECODE: "1", PYTHONUTF8: "1" },
  };
  try {
    return { failed: false, output: String((await run("python3", [join(WITNESS, "witness.py"), httpUrl], options)).stdout) };
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return { failed: true, output: `${stdout ?? ""}${stderr ?? ""}${String(error)}` };
  }
}
