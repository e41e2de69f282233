/** The mean and the variance of one class of samples, taken one by one (Welford's method). */
export class Moments {
  count = 0;
  mean = 0;
  #squares = 0;

  add(sample: number): void {
    this.count += 1;
    const off = sample - this.mean;
    this.mean += off / this.count;
    this.#squares += off * (sample - this.mean);
  }

  get variance(): number {
    return this.#squares / (this.count - 1);
  }
}

/**
 * Welch's t of two classes: how many standard errors their means are apart. Beyond 4.5 in either direction they are told apart
 * (the threshold of test vector leakage assessment; dudect, Reparaz et al. 2017).
 */
export function welchT(a: Moments, b: Moments): number {
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}
