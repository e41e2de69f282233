/** The gateways of a system, taken in turn, as a load balancer in front of them would. */
export class GatewayRotation {
  readonly #origins: readonly string[];
  #turn: number;

  /** Begins with the gateway of that number. @throws RangeError without gateways */
  constructor(urls: readonly string[], first: number) {
    if (urls.length === 0) {
      throw new RangeError("there is no gateway");
    }
    this.#origins = urls.map((url) => new URL(url).origin);
    this.#turn = first;
  }

  /** How many there are. */
  get size(): number {
    return this.#origins.length;
  }

  /** The HTTP address of the next one. */
  next(): string {
    this.#turn += 1;
    return this.#origins[this.#turn % this.#origins.length] as string;
  }
}
