import { readdirSync, readFileSync } from "node:fs";
import { join, normalize, relative, resolve } from "node:path";

/** The root of the checkout. */
export const ROOT: string = resolve(import.meta.dirname, "../..");

/** A source file of ours: its path from the root, its text, and what it imports. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** One import, as a path from the root or as a package's name. A file may be imported for its types alone: such an import is gone at run time. */
export type Import = { readonly file: string; readonly typesOnly: boolean } | { readonly package: string } | { readonly builtin: string };

/** As `.gitignore`; example.ts is what the README has its reader write. */
const NOT_OURS = new Set(["node_modules", "dist", ".git", ".venv", ".sallyport", "example.ts"]);

/** Every TypeScript file of the checkout, generated ones included. */
export function readSourceTree(folder: string = ROOT): readonly SourceFile[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !NOT_OURS.has(name))
    .flatMap((entry) => {
      const full = join(folder, entry.name);
      if (entry.isDirectory()) {
        return readSourceTree(full);
      }
      return /\.[cm]?tsx?$/.test(entry.name) ? [readSource(full)] : [];
    });
}

function readSource(full: string): SourceFile {
  const [path, text] = [relative(ROOT, full), readFileSync(full, "utf8")];
  const named = text.matchAll(/^(?:import|export)\b[^"';]*?\bfrom "([^"]+)"/gm);
  const bare = text.matchAll(/^import "([^"]+)"/gm);
  const dynamic = text.matchAll(/\bimport\("([^"]+)"\)/g);
  const imports = [...named, ...bare, ...dynamic].map(([statement, target = ""]) =>
    resolveImport(path, target, /^(import|export) type\b/.test(statement)),
  );
  return { path, text, imports };
}

function resolveImport(from: string, target: string, typesOnly: boolean): Import {
  if (target.startsWith(".")) {
    return { file: normalize(join(from, "..", target)), typesOnly };
  }
  if (target.startsWith("node:")) {
    return { builtin: target };
  }
  const parts = target.split("/");
  return { package: target.startsWith("@") ? parts.slice(0, 2).join("/") : (parts[0] ?? "") };
}
