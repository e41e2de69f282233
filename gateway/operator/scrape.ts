import type { Metrics } from "../../platform/metrics.ts";
import type { MetricFamily, MetricLabel } from "../../proto/gen/sallyport/relay/v1/relay.ts";
import type { Copy, Services } from "../relay.ts";
import { renderMetrics, type Source } from "./exposition.ts";

const READ_MS = 1_000;

/** The metrics of a gateway and of every service copy that it knows. Who asks while they are gathered gets what is gathered. */
export class Scrape {
  readonly #metrics: Metrics;
  readonly #services: Services;
  #underWay: Promise<string> | undefined;

  constructor(metrics: Metrics, services: Services) {
    this.#metrics = metrics;
    this.#services = services;
  }

  /** All metrics in Prometheus' text format. A copy that does not answer within a second is left out, and said to be down. */
  read(): Promise<string> {
    this.#underWay ??= this.#gather().finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #gather(): Promise<string> {
    const copies = Object.values(this.#services).flatMap((service) => service.copies);
    const answers = await Promise.all(copies.map(readCopy));
    const scraped: Source = { labels: [], families: [upFamily(answers)] };
    const own: Source = { labels: [{ name: "role", value: "gateway" }], families: await this.#metrics.read() };
    return renderMetrics([scraped, own, ...answers.map(({ labels, families = [] }) => ({ labels, families }))]);
  }
}

interface Answer {
  readonly labels: readonly MetricLabel[];
  /** Undefined: the copy did not answer. */
  readonly families: readonly MetricFamily[] | undefined;
}

async function readCopy({ service, relay, metrics }: Copy): Promise<Answer> {
  const labels = [
    { name: "role", value: service },
    { name: "copy", value: relay.target },
  ];
  try {
    return { labels, families: (await metrics.readMetrics({}, { deadline: Date.now() + READ_MS })).families };
  } catch {
    // Whatever it is, the copy has not said what it counts.
    return { labels, families: undefined };
  }
}

function upFamily(answers: readonly Answer[]): MetricFamily {
  const name = "sallyport_scrape_up";
  return {
    name,
    help: "Whether a service copy answered with its metrics.",
    type: "gauge",
    samples: answers.map(({ labels, families }) => ({ name, labels: [...labels], value: families === undefined ? 0 : 1 })),
  };
}
