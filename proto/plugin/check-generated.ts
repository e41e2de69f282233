import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";

/** Generates into a temporary folder and fails, naming every file, when that differs from what is committed in proto/gen. */
const ROOT = resolve(import.meta.dirname, "../..");
const GENERATED = "proto/gen";

const fresh = mkdtempSync(join(tmpdir(), "sallyport-generated-"));
try {
  const { status } = spawnSync(join(ROOT, "node_modules/.bin/buf"), ["generate", "--output", fresh], { cwd: ROOT, stdio: "inherit" });
  const problems = status === 0 ? compare(join(ROOT, GENERATED), join(fresh, GENERATED)) : ["buf generate failed"];
  if (problems.length > 0) {
    console.error(`${GENERATED} is not what the protos say (npm run generate):\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true });
}

function compare(committed: string, expected: string): readonly string[] {
  const [have, want] = [filesIn(committed), filesIn(expected)];
  const names = [...new Set([...have.keys(), ...want.keys()])].sort();
  return names.flatMap((name) => {
    if (have.get(name) === want.get(name)) {
      return [];
    }
    const fault = !have.has(name) ? "is missing" : want.has(name) ? "differs" : "is no longer generated";
    return [`${GENERATED}/${name} ${fault}`];
  });
}

function filesIn(folder: string): ReadonlyMap<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [relative(folder, file), readFileSync(file, "utf8")];
    }),
  );
}
