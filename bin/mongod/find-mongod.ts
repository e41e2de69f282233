/** One place where a MongoDB server may be had from. */
export interface Finder {
  readonly name: string;
  /** The path of a `mongod` that runs here. Rejects with the reason why there is none. */
  readonly find: (stop: AbortSignal) => Promise<string>;
}

/** No place had a server; the message lists each with its reason. */
export class MongodNotFoundError extends Error {
  override readonly name = "MongodNotFoundError";

  constructor(tried: readonly (readonly [name: string, reason: string])[]) {
    const lines = tried.map(([name, reason]) => `  ${name}: ${reason}`);
    super(["no MongoDB server was found or could be fetched; tried:", "  MONGODB_URI: not set", ...lines].join("\n"));
  }
}

/**
 * Asks the finders in their order; the first that answers wins, the rest are not asked.
 * @throws MongodNotFoundError when none answers; what the signal aborts with when it does.
 */
export async function findMongod(finders: readonly Finder[], stop: AbortSignal): Promise<string> {
  const tried: [string, string][] = [];
  for (const { name, find } of finders) {
    stop.throwIfAborted();
    try {
      return await find(stop);
    } catch (error) {
      tried.push([name, error instanceof Error ? error.message : String(error)]);
    }
  }
  stop.throwIfAborted();
  throw new MongodNotFoundError(tried);
}
