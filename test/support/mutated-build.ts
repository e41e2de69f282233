import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** A defence that is taken out of the compiled code. */
export interface Mutation {
  /** A compiled file, as seen from `dist/`. */
  readonly file: string;
  /** What stands there exactly once. */
  readonly text: string;
  readonly instead: string;
}

/** A copy of the compiled code. */
export interface Build extends AsyncDisposable {
  /** The program to run. */
  readonly entry: string;
}

const ROOT = resolve(import.meta.dirname, "../..");
/** What the compiled code looks for beside itself. */
const BESIDE = ["node_modules", "package.json", "proto"];

/** Copies the compiled code and takes defences out of the copy. @throws Error when a text does not stand in its file exactly once */
export async function buildMutated(mutations: readonly Mutation[]): Promise<Build> {
  const folder = await mkdtemp(join(tmpdir(), "sallyport-mutated-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await cp(join(ROOT, "dist"), join(folder, "dist"), { recursive: true, filter: isRun });
    await Promise.all(BESIDE.map((name) => symlink(join(ROOT, name), join(folder, name))));
    for (const mutation of mutations) {
      await mutate(join(folder, "dist"), mutation);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { entry: join(folder, "dist/bin/sallyport.js"), [Symbol.asyncDispose]: remove };
}

async function mutate(dist: string, { file, text, instead }: Mutation): Promise<void> {
  const [before, ...after] = (await readFile(join(dist, file), "utf8")).split(text);
  if (after.length !== 1) {
    throw new Error(`${file} holds ${after.length} times, not once: ${text}`);
  }
  await writeFile(join(dist, file), `${before}${instead}${after[0]}`);
}

function isRun(path: string): boolean {
  return !/\.(d\.ts|map|tsbuildinfo)$/.test(path) && !path.startsWith(join(ROOT, "dist/test"));
}
