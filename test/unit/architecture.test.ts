import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT, readSourceTree, type SourceFile } from "../support/source-tree.ts";

/** Whose files each part may import, besides its own. */
const MATRIX: Readonly<Record<string, readonly string[]>> = {
  proto: [],
  platform: ["proto"],
  client: ["proto"],
  gateway: ["proto", "platform"],
  "services/account": ["proto", "platform"],
  "services/chat": ["proto", "platform"],
  bin: ["proto", "platform", "client", "gateway", "services/account", "services/chat"],
  test: ["proto", "platform", "client", "gateway", "services/account", "services/chat", "bin"],
};

/** Which files may import a package. */
const VENDORS: Readonly<Record<string, RegExp>> = {
  "@bufbuild/protobuf": /^(proto|gateway|client|test)\//,
  "@bufbuild/protoplugin": /^proto\/plugin\//,
  "@connectrpc/connect": /^gateway\//,
  "@peculiar/x509": /^test\/support\//,
  "@grpc/grpc-js": /^platform\/rpc\//,
  "@grpc/proto-loader": /^platform\/rpc\//,
  "@grpc/reflection": /^platform\/rpc\//,
  "grpc-health-check": /^platform\/rpc\//,
  jose: /^services\/(account\/(tokens|identity)|chat\/receipts)\/|^test\//,
  "oidc-provider": /^test\/support\/identity-provider\.ts$/,
  mongodb: /^services\/\w+\/store\/|^platform\/mongo\.ts$|^bin\/mongod\/|^bin\/bench\/load\/|^test\//,
  "mongodb-memory-server-core": /^bin\/mongod\//,
  pino: /^platform\/logger\.ts$|^test\//,
  "uWebSockets.js": /^gateway\/(operator\/listener|uws|socket|listener|tls-listener|http[\w-]*)\.ts$|^bin\/bench\/floor\//,
  "prom-client": /^platform\/metrics\.ts$/,
  // Browsers have a WebSocket of their own, Node 20 has none.
  ws: /^client\/node\.ts$|^bin\/bench\/collect-garbage\.ts$|^test\//,
  chai: /^test\//,
  "fast-check": /^test\//,
};

/** What is run by hand or by npm, and so may print. */
const TOOLS = ["proto/plugin/check-generated.ts"];
const NAMES_THAT_SAY_NOTHING = /(^|\/)(index|utils?|helpers?|common|types|constants|misc|shared)(\.ts|\/)/;

const files = readSourceTree();
const written = files.filter(({ path }) => !path.startsWith("proto/gen/"));

describe("the source tree", () => {
  it("has every file in a part that is known", () => {
    expect(files.filter((file) => partOf(file.path) === undefined).map(({ path }) => path)).to.deep.equal([]);
  });

  it("imports along the matrix only", () => {
    const crossing = eachImport(files).flatMap(({ from, file }) => {
      const [here, there] = [partOf(from), partOf(file)];
      const allowed = here !== undefined && there !== undefined && (here === there || MATRIX[here]?.includes(there));
      return allowed ? [] : [`${from} imports ${file}`];
    });

    expect(crossing).to.deep.equal([]);
  });

  it("imports files that are there, by their full names", () => {
    const paths = new Set(files.map(({ path }) => path));

    expect(eachImport(files).flatMap(({ from, file }) => (paths.has(file) ? [] : [`${from} imports ${file}`]))).to.deep.equal([]);
  });

  it("has no circle of imports, those of types alone aside", () => {
    expect(findCircles(files)).to.deep.equal([]);
  });

  it("keeps each vendor in its place", () => {
    const misplaced = eachPackage(files).flatMap(({ from, name }) => (VENDORS[name]?.test(from) ? [] : [`${from} imports ${name}`]));

    expect(misplaced).to.deep.equal([]);
  });

  it("needs at run time only what is installed with it", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { dependencies: Record<string, string> };
    const shipped = files.filter(({ path }) => !/^(test|proto\/plugin)\//.test(path));

    expect(eachPackage(shipped).flatMap(({ from, name }) => (name in dependencies ? [] : [`${from} imports ${name}`]))).to.deep.equal([]);
  });

  it("brings nothing of Node's into a browser that loads the client library", () => {
    const loaded = reach(["client/client.ts", "client/browser-token-store.ts"]);

    expect(loaded.length).to.be.greaterThan(20);
    expect(
      loaded.flatMap(({ path, imports }) =>
        imports.flatMap((target) => ("builtin" in target ? [`${path} imports ${target.builtin}`] : [])),
      ),
    ).to.deep.equal([]);
    expect(
      linesWith(loaded, /\b(Buffer|process|require|setImmediate)\b(?!\w*:)/).filter((line) => !/: (\*|\/\*\*|\/\/)/.test(line)),
    ).to.deep.equal([]);
  });

  it("has no file or folder whose name says nothing", () => {
    expect(files.map(({ path }) => path).filter((path) => NAMES_THAT_SAY_NOTHING.test(path))).to.deep.equal([]);
  });

  it("reads the environment and prints only in bin and in tests", () => {
    const elsewhere = written.filter(({ path }) => !/^(bin|test)\//.test(path) && !TOOLS.includes(path));

    expect(linesWith(elsewhere, /\bprocess\.env\b|\bconsole\.\w/)).to.deep.equal([]);
  });

  it("says of everything that it exports what it is", () => {
    const parts = written.filter(({ path }) => !path.startsWith("test/"));

    expect(parts.flatMap(undocumented)).to.deep.equal([]);
  });

  it("has no banner, no history and nothing left to do", () => {
    expect(
      linesWith(
        written.filter(({ path }) => path !== "test/unit/architecture.test.ts"),
        /\b(TODO|FIXME|XXX|HACK)\b|\/\/ ?[-=*#]{4,}/,
      ),
    ).to.deep.equal([]);
  });
});

function partOf(path: string): string | undefined {
  return Object.keys(MATRIX).find((part) => path.startsWith(`${part}/`));
}

/** The files that are loaded with some, imports of types alone aside. */
function reach(entries: readonly string[]): readonly SourceFile[] {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) {
      return;
    }
    reached.add(path);
    for (const { from, file, typesOnly } of eachImport(files)) {
      if (from === path && !typesOnly) {
        visit(file);
      }
    }
  };
  entries.forEach(visit);
  return files.filter(({ path }) => reached.has(path));
}

function eachImport(sources: readonly SourceFile[]): readonly { from: string; file: string; typesOnly: boolean }[] {
  return sources.flatMap(({ path, imports }) => imports.flatMap((target) => ("file" in target ? [{ from: path, ...target }] : [])));
}

function eachPackage(sources: readonly SourceFile[]): readonly { from: string; name: string }[] {
  return sources.flatMap(({ path, imports }) =>
    imports.flatMap((target) => ("package" in target ? [{ from: path, name: target.package }] : [])),
  );
}

function linesWith(sources: readonly SourceFile[], pattern: RegExp): readonly string[] {
  return sources.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

function undocumented({ path, text }: SourceFile): readonly string[] {
  const lines = text.split("\n");
  return lines.flatMap((line, index) => {
    const [, name] = /^export (?:async |abstract |declare )*(?:function\*?|class|const|let|interface|type) (\w+)/.exec(line) ?? [];
    if (name === undefined) {
      return [];
    }
    let above = index - 1;
    while (/^(\/\/|@)/.test(lines[above] ?? "")) {
      above -= 1;
    }
    const isOverload = new RegExp(`^export (async )?function ${name}\\b.*;$`).test(lines[above] ?? "");
    return isOverload || lines[above]?.endsWith("*/") ? [] : [`${path}:${index + 1}: ${name}`];
  });
}

// Depth first; a file that is met again while it is still open closes a circle.
function findCircles(sources: readonly SourceFile[]): readonly string[] {
  const imports = (source: SourceFile): string[] => eachImport([source]).flatMap(({ file, typesOnly }) => (typesOnly ? [] : [file]));
  const targets = new Map(sources.map((source) => [source.path, imports(source)]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, open: readonly string[]): void => {
    if (open.includes(path)) {
      circles.push([...open.slice(open.indexOf(path)), path].join(" → "));
    } else if (!done.has(path)) {
      for (const target of targets.get(path) ?? []) {
        visit(target, [...open, path]);
      }
      done.add(path);
    }
  };
  for (const path of targets.keys()) {
    visit(path, []);
  }
  return circles;
}
