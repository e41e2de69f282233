import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Runs a program to its end, and resolves to its standard output. Rejects with the last line of its complaint. */
export async function runTool(file: string, args: readonly string[], stop: AbortSignal): Promise<string> {
  try {
    const { stdout } = await run(file, args, { signal: stop, maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    throw new Error(`${file}: ${complaint(error)}`, { cause: error });
  }
}

function complaint(error: unknown): string {
  const { code, stderr } = error as { readonly code?: unknown; readonly stderr?: string };
  if (code === "ENOENT") {
    return "not installed";
  }
  const lines = (stderr ?? "").split("\n").filter((line) => line.trim() !== "");
  return lines.at(-1)?.trim() ?? (error instanceof Error ? error.message : String(error));
}
