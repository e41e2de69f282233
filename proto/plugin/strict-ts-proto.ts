import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CodeGeneratorResponse_FileSchema, CodeGeneratorResponseSchema } from "@bufbuild/protobuf/wkt";

/**
 * buf's plugin: ts-proto, with decoders that refuse what is not well formed. Its own take field number 0 and a group's end for the end of
 * the message, read beyond the end of a nested message, and put U+FFFD where a string is no UTF-8.
 */
const REPAIRS: readonly (readonly [string, string])[] = [
  [
    "if ((tag & 7) === 4 || tag === 0) {\n          break;\n        }",
    'if ((tag & 7) === 4 || tag >>> 3 === 0) {\n          throw new RangeError("malformed message");\n        }',
  ],
  [
    "reader.skip(tag & 7);\n      }\n      return message;",
    'reader.skip(tag & 7, tag >>> 3);\n      }\n      if (reader.pos !== end) {\n        throw new RangeError("malformed message");\n      }\n      return message;',
  ],
  ["reader.string()", "reader.string(true)"],
];

const TS_PROTO = resolve(import.meta.dirname, "../../node_modules/.bin/protoc-gen-ts_proto");

/** The options on the protos, and what they extend: read when code is generated, and by nothing that runs. */
const FOR_PLUGINS_ONLY = /^(google\/protobuf\/descriptor|sallyport\/options\/)/;

/** Repairs a generated file. @throws Error when a message's decoder does not look as expected. */
function repair(name: string, content: string): string {
  const decoders = content.match(/decode\(input: BinaryReader \| Uint8Array, length\?: number\): \w+ \{/g)?.length ?? 0;
  for (const [weak] of REPAIRS.slice(0, 2)) {
    const found = content.split(weak).length - 1;
    if (found !== decoders) {
      throw new Error(`${name}: ${found} of ${decoders} decoders look as expected: has ts-proto changed?`);
    }
  }
  return REPAIRS.reduce((text, [weak, strict]) => text.replaceAll(weak, strict), content);
}

const { status, stdout } = spawnSync(TS_PROTO, {
  input: readFileSync(0),
  maxBuffer: 2 ** 28,
  stdio: ["pipe", "pipe", "inherit"],
});
if (status !== 0) {
  process.exit(1);
}
const response = fromBinary(CodeGeneratorResponseSchema, stdout);
const file = response.file
  .filter(({ name }) => !FOR_PLUGINS_ONLY.test(name ?? ""))
  .map((generated) =>
    create(CodeGeneratorResponse_FileSchema, { ...generated, content: repair(generated.name ?? "", generated.content ?? "") }),
  );
// buf closes the pipe when another plugin has failed; that one says why.
process.stdout.on("error", () => process.exit(1));
process.stdout.write(toBinary(CodeGeneratorResponseSchema, { ...response, file }));
