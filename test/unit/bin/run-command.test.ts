import { expect } from "chai";
import type { Command, Context, Run } from "../../../bin/command.ts";
import { runCommand } from "../../../bin/run-command.ts";
import { ConfigError } from "../../../platform/env.ts";

describe("running a command", () => {
  it("ends with the command's exit code", async () => {
    const { code, errors } = await runTest(["go"], async () => 7);

    expect(code).to.equal(7);
    expect(errors).to.deep.equal([]);
  });

  it("gives the command its flags and the usage text", async () => {
    let given: Context | undefined;

    await runTest(["go"], async (context) => {
      given = context;
      return 0;
    });

    expect([...(given?.flags ?? [])]).to.deep.equal([]);
    expect(given?.usage).to.contain("  go  goes");
  });

  it("ends with 2 and the usage for an unknown command", async () => {
    const { code, errors } = await runTest(["come"], async () => 0);

    expect(code).to.equal(2);
    expect(errors.join("\n")).to.contain("unknown command: come").and.to.contain("usage: sallyport <command>");
  });

  it("ends with 2 and every problem for a wrong configuration", async () => {
    const { code, errors } = await runTest(["go"], () => Promise.reject(new ConfigError(["A: expected on or off", "B: expected a path"])));

    expect(code).to.equal(2);
    expect(errors).to.have.length(1);
    expect(errors[0]).to.contain("A: expected on or off").and.to.contain("B: expected a path");
  });

  it("ends with 1 and the message for any other failure", async () => {
    const { code, errors } = await runTest(["go"], () => Promise.reject(new Error("port 8080 is taken")));

    expect(code).to.equal(1);
    expect(errors).to.deep.equal(["sallyport: port 8080 is taken"]);
  });
});

async function runTest(words: readonly string[], run: Run): Promise<{ code: number; errors: string[] }> {
  const errors: string[] = [];
  const table: readonly Command[] = [{ name: "go", flags: [], summary: "goes", load: async () => run }];
  const surroundings = { env: {}, entry: "", print: () => undefined, warn: (line: string) => errors.push(line) };
  const code = await runCommand(words, surroundings, table);
  return { code, errors };
}
