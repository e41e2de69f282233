import { expect } from "chai";
import fc from "fast-check";
import { renderMetrics, type Source } from "../../../../gateway/operator/exposition.ts";
import type { MetricFamily } from "../../../../proto/gen/sallyport/relay/v1/relay.ts";
import { parseExposition, readValue } from "../../../support/exposition.ts";

function family(name: string, value: number, type = "counter"): MetricFamily {
  return { name, help: `Help of ${name}.`, type, samples: [{ name, labels: [], value }] };
}

function source(role: string, ...families: MetricFamily[]): Source {
  return { labels: [{ name: "role", value: role }], families };
}

describe("the exposition of metrics", () => {
  it("is the text format, byte for byte", () => {
    const histogram: MetricFamily = {
      name: "seconds",
      help: "Back\\slash\nand line.",
      type: "histogram",
      samples: [
        { name: "seconds_bucket", labels: [{ name: "le", value: "+Inf" }], value: 2 },
        { name: "seconds_sum", labels: [], value: 0.25 },
        { name: "seconds_count", labels: [], value: 2 },
      ],
    };

    expect(renderMetrics([source('a"b\\c\nd', histogram)])).to.equal(
      [
        "# HELP seconds Back\\\\slash\\nand line.",
        "# TYPE seconds histogram",
        'seconds_bucket{role="a\\"b\\\\c\\nd",le="+Inf"} 2',
        'seconds_sum{role="a\\"b\\\\c\\nd"} 0.25',
        'seconds_count{role="a\\"b\\\\c\\nd"} 2',
        "",
      ].join("\n"),
    );
  });

  it("has a family of several processes once, with the values of all", () => {
    const text = renderMetrics([source("account", family("x_total", 1), family("y_total", 2)), source("chat", family("x_total", 3))]);

    const families = parseExposition(text);
    expect(readValue(families, "x_total", { role: "account" })).to.equal(1);
    expect(readValue(families, "x_total", { role: "chat" })).to.equal(3);
    expect(readValue(families, "y_total", { role: "account" })).to.equal(2);
  });

  it("leaves out what another process calls by the same name and means otherwise", () => {
    const families = parseExposition(renderMetrics([source("account", family("x", 1)), source("chat", family("x", 3, "gauge"))]));

    expect(families.get("x")?.samples).to.deep.equal([{ name: "x", labels: { role: "account" }, value: 1 }]);
  });

  it("writes every number and every text so that they are read back", () => {
    const label = fc.string({ unit: fc.constantFrom("a", "é", "\u{1f6aa}", "\\", '"', "\n", "{", "}", ",", "=", " ") });
    fc.assert(
      fc.property(fc.double(), label, (value, role) => {
        const families = parseExposition(renderMetrics([source(role, family("x", value))]));

        expect(readValue(families, "x", { role })).to.deep.equal(Object.is(value, -0) ? 0 : value);
      }),
    );
  });
});

describe("the parser of these tests", () => {
  const head = "# HELP x Help.\n# TYPE x counter\n";
  for (const [title, text] of [
    ["a family twice", `${head}x 1\n${head}x{a="1"} 1\n`],
    ["a value twice", `${head}x 1\nx 2\n`],
    ["a value of another family", `${head}y 1\n`],
    ["a TYPE without its HELP", "# TYPE x counter\nx 1\n"],
    ["a label without quotes", `${head}x{a=1} 1\n`],
    ["a last line without its end", `${head}x 1`],
    ["a number that is none", `${head}x one\n`],
    ["an escape that is none", `${head}x{a="\\t"} 1\n`],
    ["buckets that shrink", '# HELP h Help.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\n'],
  ] as const) {
    it(`refuses ${title}`, () => {
      expect(() => parseExposition(text)).to.throw();
    });
  }
});
