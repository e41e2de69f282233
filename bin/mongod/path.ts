import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { checkMongod } from "./version.ts";

/** The first `mongod` on the search path, when it runs and is new enough. */
export async function findOnPath(path: string, stop: AbortSignal): Promise<string> {
  for (const directory of path.split(delimiter).filter((entry) => entry !== "")) {
    const file = join(directory, "mongod");
    const executable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) {
      await checkMongod(file, stop);
      return file;
    }
  }
  throw new Error("no mongod there");
}
