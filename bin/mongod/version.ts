import { runTool } from "./run-tool.ts";

/** The oldest major version that the services are tried with. */
export const OLDEST_MAJOR = 6;

/** The version in the output of `mongod --version`, as `6.0.5`. Undefined when there is none. */
export function parseVersion(output: string): string | undefined {
  return /^db version v(\d+\.\d+\.\d+)/m.exec(output)?.[1];
}

/** Rejects, with the reason, unless this `mongod` runs here and is new enough. */
export async function checkMongod(file: string, stop: AbortSignal): Promise<void> {
  const version = parseVersion(await runTool(file, ["--version"], stop));
  if (version === undefined) {
    throw new Error(`${file} does not tell its version`);
  }
  if (Number.parseInt(version, 10) < OLDEST_MAJOR) {
    throw new Error(`${file} is version ${version}, needed is ${OLDEST_MAJOR}.0 or newer`);
  }
}
