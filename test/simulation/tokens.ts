/** A refresh token of the model: a few bytes stand for all of it, for its digest and for its seal. */
export interface Token {
  readonly sessionId: number;
  readonly generation: number;
  readonly bytes: Buffer;
}

/** All refresh tokens that were made. */
export class Mint {
  readonly #tokens: Token[] = [];

  /** A token that is like no other. */
  make(sessionId: number, generation: number): Token {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32LE(this.#tokens.length);
    const token = { sessionId, generation, bytes };
    this.#tokens.push(token);
    return token;
  }

  /** The token that some bytes stand for. */
  read(bytes: Buffer): Token {
    return this.#tokens[bytes.readUInt32LE()] as Token;
  }
}
