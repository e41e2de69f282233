import { type Random, seeded } from "../fuzz/random.ts";
import { Moments, welchT } from "./welch.ts";

/** Two classes of inputs to one operation, whose durations should not differ. */
export interface Experiment {
  readonly title: string;
  /** Prepares the next input of a class, outside of what is measured. */
  readonly prepare: (ofClass: 0 | 1, random: Random) => void;
  /** What is measured: works on what was prepared. */
  readonly run: () => unknown;
}

/** What an experiment showed. */
export interface Leak {
  readonly t: number;
  /** Without the slowest hundredth of both classes together: interrupts and collections of garbage. */
  readonly croppedT: number;
  /** Nanoseconds, by class. */
  readonly means: readonly [number, number];
}

const WARM_UP = 5_000;

/** Takes so many samples of each class, in random order. */
export async function measure({ prepare, run }: Experiment, samplesOfEach: number, seed: number): Promise<Leak> {
  const random = seeded(seed);
  const classes = shuffled(samplesOfEach, random);
  const durations = new Float64Array(classes.length);
  for (let index = -WARM_UP; index < classes.length; index += 1) {
    prepare(classes[Math.abs(index) % classes.length] === 0 ? 0 : 1, random);
    const began = process.hrtime.bigint();
    const result = run();
    if (result instanceof Promise) {
      await result;
    }
    const took = Number(process.hrtime.bigint() - began);
    if (index >= 0) {
      durations[index] = took;
    }
  }
  return compare(classes, durations);
}

/** As many zeros as ones, in random order (Fisher and Yates). */
function shuffled(samplesOfEach: number, random: Random): Uint8Array {
  const classes = new Uint8Array(2 * samplesOfEach).fill(1, samplesOfEach);
  for (let last = classes.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    [classes[last], classes[other]] = [classes[other] ?? 0, classes[last] ?? 0];
  }
  return classes;
}

function compare(classes: Uint8Array, durations: Float64Array): Leak {
  const limit = Float64Array.from(durations).sort()[Math.floor(durations.length * 0.99)] ?? 0;
  const [all, cropped] = [split(classes, durations, Number.POSITIVE_INFINITY), split(classes, durations, limit)];
  return { t: welchT(...all), croppedT: welchT(...cropped), means: [all[0].mean, all[1].mean] };
}

function split(classes: Uint8Array, durations: Float64Array, limit: number): [Moments, Moments] {
  const moments: [Moments, Moments] = [new Moments(), new Moments()];
  durations.forEach((took, index) => {
    if (took <= limit) {
      moments[classes[index] === 0 ? 0 : 1].add(took);
    }
  });
  return moments;
}
