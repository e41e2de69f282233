import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { access, chmod, link, mkdir, readFile, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ConfigError } from "../../platform/env.ts";

/** Where the operator token is: a file that somebody else keeps, or one that the gateway makes when it is missing. */
export interface OperatorTokenSource {
  readonly file: string;
  /** The variable that names it. */
  readonly variable: "GATEWAY_OPERATOR_TOKEN_FILE" | "SALLYPORT_DATA_DIR";
}

/** How long what was read is believed: a token that was replaced ends within this time. */
const FRESH_MS = 1_000;
// What an Authorization header can carry; 32 characters of base64 are 192 bits.
const TOKEN = /^[\x21-\x7e]{32,1024}$/;

/** The token that operators show, read again from its file while it is asked for. */
export class OperatorToken {
  readonly #file: string;
  readonly #unreadable: (error: unknown) => void;
  #digest: Buffer;
  #readAt: number;
  #reading: Promise<void> | undefined;

  private constructor(file: string, token: string, unreadable: (error: unknown) => void) {
    this.#file = file;
    this.#unreadable = unreadable;
    this.#digest = digestOf(token);
    this.#readAt = performance.now();
  }

  /**
   * Reads the token, after making it (32 random bytes, base64url, mode 0600) where it is the gateway's own and missing.
   * While the file cannot be read later, `unreadable` is told and the last token goes on.
   * @throws ConfigError naming the variable when there is no token in the file that is 32 characters long.
   */
  static async open({ file, variable }: OperatorTokenSource, unreadable: (error: unknown) => void): Promise<OperatorToken> {
    try {
      if (variable === "SALLYPORT_DATA_DIR") {
        await makeToken(file);
      }
      return new OperatorToken(file, await readToken(file), unreadable);
    } catch (error) {
      const why = error instanceof Error ? error.message : "unreadable";
      throw new ConfigError([`${variable}: there is no operator token (${why})`]);
    }
  }

  /** Whether somebody shows the token; how long this takes says nothing about it. */
  async matches(shown: string): Promise<boolean> {
    if (performance.now() - this.#readAt > FRESH_MS) {
      this.#reading ??= this.#readAgain();
      await this.#reading;
    }
    return timingSafeEqual(digestOf(shown), this.#digest);
  }

  async #readAgain(): Promise<void> {
    try {
      this.#digest = digestOf(await readToken(this.#file));
    } catch (error) {
      this.#unreadable(error);
    } finally {
      this.#readAt = performance.now();
      this.#reading = undefined;
    }
  }
}

/** Makes the file unless it is there. Of two gateways that start at once one wins, since a link never replaces a file. */
async function makeToken(file: string): Promise<void> {
  if (await isThere(file)) {
    return;
  }
  const directory = dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const fresh = join(directory, `.operator-token-${randomBytes(6).toString("hex")}`);
  await writeFile(fresh, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  try {
    await chmod(fresh, 0o600);
    await link(fresh, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
      throw error;
    }
  } finally {
    await unlink(fresh);
  }
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function readToken(file: string): Promise<string> {
  const token = (await readFile(file, "utf8")).trim();
  if (!TOKEN.test(token)) {
    throw new Error(`${file}: expected a token of 32 or more characters without spaces`);
  }
  return token;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
