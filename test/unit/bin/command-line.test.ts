import { expect } from "chai";
import { type Command, UsageError } from "../../../bin/command.ts";
import { parseCommandLine, usage } from "../../../bin/command-line.ts";

const table: readonly Command[] = [
  command("start", "--supervise"),
  command("keys init"),
  command("keys rotate"),
  command("demo", "--url="),
  command("help"),
];

describe("a command line", () => {
  it("names a command of one word or two", () => {
    expect(parseCommandLine(["start"], table).command.name).to.equal("start");
    expect(parseCommandLine(["keys", "rotate"], table).command.name).to.equal("keys rotate");
  });

  it("carries the flags of its command", () => {
    const { flags } = parseCommandLine(["start", "--supervise"], table);

    expect([...flags]).to.deep.equal(["--supervise"]);
  });

  for (const words of [
    ["demo", "--url", "http://127.0.0.1:8080"],
    ["demo", "--url=http://127.0.0.1:8080"],
  ]) {
    it(`carries the value of a flag in "${words.join(" ")}"`, () => {
      const { flags } = parseCommandLine(words, table);

      expect([...flags]).to.deep.equal(["--url=http://127.0.0.1:8080"]);
    });
  }

  it("asks for help wherever --help or -h stands", () => {
    expect(parseCommandLine(["--help"], table).command.name).to.equal("help");
    expect(parseCommandLine(["keys", "init", "-h"], table).command.name).to.equal("help");
  });

  for (const words of [
    [],
    ["stop"],
    ["keys"],
    ["keys", "lose"],
    ["start", "--fast"],
    ["start", "now"],
    ["demo", "--url"],
    ["demo", "--url="],
  ]) {
    it(`is refused when it reads "${words.join(" ")}"`, () => {
      expect(() => parseCommandLine(words, table)).to.throw(UsageError);
    });
  }
});

describe("the usage text", () => {
  it("has a line for each command with its flags", () => {
    const lines = usage(table).split("\n");

    expect(lines).to.include("  start [--supervise]  about start");
    expect(lines).to.include("  keys init            about keys init");
  });

  it("has the summary of a command with many flags below it", () => {
    const flags = Array.from({ length: 12 }, (_, index) => `--flag-${index}=`);
    const lines = usage([command("start"), command("chaos", ...flags)]).split("\n");

    expect(lines.slice(-2)).to.deep.equal([`  chaos ${flags.map((flag) => `[${flag}]`).join(" ")}`, "         about chaos"]);
  });
});

function command(name: string, ...flags: string[]): Command {
  return { name, flags, summary: `about ${name}`, load: () => Promise.reject(new Error("not to be loaded")) };
}
