import { createEcmaScriptPlugin, runNodeJs, type Schema } from "@bufbuild/protoplugin";
import { printContract } from "./contract.ts";
import { printImage } from "./image.ts";
import { readPolicies } from "./policies.ts";
import { printServices } from "./services.ts";

/** buf's plugin: from the options in the protos to the method table, the validators and the contract tables. */
function generate(schema: Schema): void {
  const policies = readPolicies(schema.allFiles);
  printServices(schema.generateFile("services.ts"), policies);
  printContract(schema.generateFile("contract.ts"), policies);
  printImage(schema.generateFile("image.ts"), schema.proto.protoFile);
}

runNodeJs(createEcmaScriptPlugin({ name: "protoc-gen-sallyport", version: "v1", generateTs: generate }));
