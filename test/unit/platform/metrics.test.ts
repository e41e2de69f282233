import { expect } from "chai";
import { Metrics } from "../../../platform/metrics.ts";
import type { MetricFamily } from "../../../proto/gen/sallyport/relay/v1/relay.ts";

describe("the metrics of a process", () => {
  it("count by the values of labels, and show at 0 what has not come up yet", async () => {
    const metrics = new Metrics();
    const logins = metrics.counter("logins_total", "Logins.", { provider: ["dev", "google"] });
    const plain = metrics.counter("plain_total", "Plain.");

    logins.add(1, "dev");
    logins.add(2, "dev");
    plain.add(5);

    expect(await metrics.read()).to.deep.equal([
      {
        name: "logins_total",
        help: "Logins.",
        type: "counter",
        samples: [
          { name: "logins_total", value: 3, labels: [{ name: "provider", value: "dev" }] },
          { name: "logins_total", value: 0, labels: [{ name: "provider", value: "google" }] },
        ],
      },
      { name: "plain_total", help: "Plain.", type: "counter", samples: [{ name: "plain_total", value: 5, labels: [] }] },
    ]);
  });

  it("have no more series than the sets of their labels allow, whatever comes", async () => {
    const metrics = new Metrics();
    const calls = metrics.counter("calls_total", "Calls.", { method: ["a", "b"], status: ["OK"] });

    for (let index = 0; index < 1000; index += 1) {
      calls.add(1, `secret-${index}`, `status-${index}`);
    }
    calls.add(1, "a", "OK");

    const [family] = await metrics.read();
    expect(valuesOf(family)).to.deep.equal({ "unknown unknown": 1000, "a OK": 1 });
  });

  it("put what is measured into buckets, with sum and count", async () => {
    const metrics = new Metrics();
    const sizes = metrics.histogram("sizes", "Sizes.", [1, 10], { store: ["sends"] });

    for (const size of [1, 5, 50]) {
      sizes.observe(size, "sends");
    }

    const [family] = await metrics.read();
    expect(
      family?.samples.map(({ name, labels, value }) => [name, labels.find((label) => label.name === "le")?.value, value]),
    ).to.deep.equal([
      ["sizes_bucket", "1", 1],
      ["sizes_bucket", "10", 2],
      ["sizes_bucket", "+Inf", 3],
      ["sizes_sum", undefined, 56],
      ["sizes_count", undefined, 3],
    ]);
    expect(family?.samples.every(({ labels }) => labels.some(({ name, value }) => name === "store" && value === "sends"))).to.equal(true);
  });

  it("ask a gauge whenever somebody reads", async () => {
    const metrics = new Metrics();
    let open = 1;
    metrics.gauge("sockets", "Sockets.", ["service"], () => [[open, "chat"]]);

    open = 7;
    const [family] = await metrics.read();

    expect(valuesOf(family)).to.deep.equal({ chat: 7 });
  });

  it("take no name twice", () => {
    const metrics = new Metrics();
    metrics.counter("one_total", "One.");

    expect(() => metrics.gauge("one_total", "Again.", [], () => [])).to.throw("one_total is a metric already");
  });

  it("say of the process how late its event loop is and what memory it takes, once asked to", async () => {
    const metrics = new Metrics();
    expect(await metrics.read()).to.deep.equal([]);

    metrics.observeProcess();

    const names = (await metrics.read()).map(({ name }) => name);
    expect(names).to.include.members(["nodejs_eventloop_lag_p99_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"]);
  });
});

function valuesOf(family: MetricFamily | undefined): Record<string, number> {
  return Object.fromEntries((family?.samples ?? []).map(({ labels, value }) => [labels.map((label) => label.value).join(" "), value]));
}
