#!/usr/bin/env node
import { fileURLToPath } from "node:url";
import { runCommand } from "./run-command.ts";

const exitCode = await runCommand(process.argv.slice(2), {
  env: process.env,
  entry: fileURLToPath(import.meta.url),
  print: (line) => console.log(line),
  warn: (line) => console.error(line),
});
process.exit(exitCode);
