import { canonicalAddress, parseAddress } from "./address.ts";

/** A block of addresses (RFC 4632, RFC 4291 section 2.3): those whose first `bits` bits are those of `bytes`. */
interface Block {
  readonly bytes: Uint8Array;
  readonly bits: number;
}

/** The proxies whose word on a client's address counts. */
export class TrustedProxies {
  readonly #blocks: readonly Block[];

  /** @throws Error naming every CIDR or address that is none. */
  constructor(cidrs: readonly string[]) {
    const blocks = cidrs.map(parseBlock);
    const wrong = cidrs.filter((_, index) => blocks[index] === undefined);
    if (wrong.length > 0) {
      throw new Error(`expected CIDRs or addresses, not ${wrong.join(", ")}`);
    }
    this.#blocks = blocks.filter((block) => block !== undefined);
  }

  /** Whether nobody is trusted. */
  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /**
   * The address of a client, canonical: the peer's, or what a trusted peer says of it in its `X-Forwarded-For` lines, which are read from the
   * right, as one list, up to the first address that is no trusted proxy's. When all are, it is the leftmost. Undefined when what is read
   * is empty or no address.
   */
  clientOf(peer: Uint8Array, forwardedFor: readonly string[]): string | undefined {
    if (!this.#covers(peer) || forwardedFor.length === 0) {
      return canonicalAddress(peer);
    }
    const hops = forwardedFor.join(",").split(",");
    let address: Uint8Array | undefined;
    do {
      address = parseHop((hops.pop() ?? "").trim());
    } while (address !== undefined && this.#covers(address) && hops.length > 0);
    return address === undefined ? undefined : canonicalAddress(address);
  }

  #covers(address: Uint8Array): boolean {
    const bytes = parseAddress(canonicalAddress(address));
    return bytes !== undefined && this.#blocks.some((block) => contains(block, bytes));
  }
}

/** An address, as a proxy writes it: some add the port that the client came from. */
function parseHop(hop: string): Uint8Array | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+):\d{1,5})$/.exec(hop) ?? [];
  if (bracketed !== undefined && !bracketed.includes(":")) {
    return undefined;
  }
  return parseAddress(bracketed ?? plain ?? hop);
}

function parseBlock(text: string): Block | undefined {
  const [, address = "", length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = parseAddress(address);
  if (bytes === undefined) {
    return undefined;
  }
  // A block of mapped addresses is one of IPv4 addresses.
  const mapped = address.includes(":") && bytes.length === 4 ? 96 : 0;
  const bits = length === undefined ? bytes.length * 8 : Number(length) - mapped;
  return bits >= 0 && bits <= bytes.length * 8 ? { bytes, bits } : undefined;
}

function contains({ bytes, bits }: Block, address: Uint8Array): boolean {
  return (
    address.length === bytes.length &&
    bytes.every((byte, index) => {
      const unread = Math.min(8, Math.max(0, (index + 1) * 8 - bits));
      return (byte ^ (address[index] ?? 0)) >> unread === 0;
    })
  );
}
