import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

type Call = (...args: unknown[]) => Promise<unknown>;

const CHANGING = ["open", "link", "rename", "rm"] as const;

/** The process "ends" before the so manieth change of files: that change and all after it fail. */
export async function crashingBefore(change: number, action: () => Promise<unknown>): Promise<"crashed" | "done"> {
  let changes = 0;
  const replaced = (original: Call): Call => {
    return (...args) => {
      changes += 1;
      return changes > change ? Promise.reject(new Error("crash")) : original(...args);
    };
  };
  try {
    await withReplaced(CHANGING, replaced, action);
  } catch (error) {
    if (error instanceof Error && error.message === "crash") {
      return "crashed";
    }
    throw error;
  }
  return changes > change ? "crashed" : "done";
}

/** Something happens after a folder was first listed, and before what was listed is read. */
export async function interruptedAfterListing<T>(interrupt: () => Promise<unknown>, action: () => Promise<T>): Promise<T> {
  let isFirst = true;
  const replaced = (original: Call): Call => {
    return async (...args) => {
      const names = await original(...args);
      if (isFirst) {
        isFirst = false;
        await interrupt();
      }
      return names;
    };
  };
  return withReplaced(["readdir"], replaced, action);
}

async function withReplaced<T>(
  names: readonly (keyof typeof fs)[],
  replaced: (original: Call) => Call,
  action: () => Promise<T>,
): Promise<T> {
  const originals = Object.fromEntries(names.map((name) => [name, fs[name] as unknown as Call]));
  Object.assign(fs, Object.fromEntries(Object.entries(originals).map(([name, original]) => [name, replaced(original)])));
  syncBuiltinESMExports();
  try {
    return await action();
  } finally {
    Object.assign(fs, originals);
    syncBuiltinESMExports();
  }
}
