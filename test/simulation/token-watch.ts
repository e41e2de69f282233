import type { Family } from "../../services/account/tokens/family.ts";
import type { SessionRow } from "./database.ts";
import type { Device } from "./device.ts";
import type { DeviceSocket } from "./device-socket.ts";
import type { Token } from "./tokens.ts";
import type { World } from "./world.ts";

/** What is promised of tokens and sessions. */
export class TokenWatch {
  readonly #world: World;
  readonly #successors = new Map<Token, Token>();
  /** Sessions that a thief has presented a token of. */
  readonly #touched = new Set<number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A thief presents a token. */
  stolenPresented({ sessionId }: Token): void {
    this.#touched.add(sessionId);
  }

  /** Whether a thief has presented a token of a session. */
  isTouched(sessionId: number): boolean {
    return this.#touched.has(sessionId);
  }

  /** A session was ended as stolen. */
  revoked({ id }: SessionRow, { generation }: Token): void {
    if (!this.#touched.has(id)) {
      this.#fail("logged-out", `session ${id} was ended for its generation ${generation}, and no thief was there`);
    }
  }

  /** A client was closed with 4401. */
  loggedOut({ process, token, isThief }: Device): void {
    if (!isThief && !this.#touched.has(token.sessionId)) {
      this.#fail("logged-out", `${process.name} holds generation ${token.generation} and was refused`);
    }
  }

  /** A presentation is about to be answered with a successor. */
  answered(token: Token, successor: Token): void {
    const known = this.#successors.get(token);
    if (known !== undefined && known !== successor) {
      this.#fail("two-successors", `generation ${token.generation} was answered with two`);
    }
    this.#successors.set(token, successor);
  }

  familyWritten({ family }: SessionRow, before: Family): void {
    if (family.generation < before.generation || family.version < before.version) {
      this.#fail("generation-fell", `from ${before.generation} to ${family.generation}`);
    }
  }

  /** A reply has come to a client. */
  replied({ device, token }: DeviceSocket): void {
    const session = this.#world.database.sessions[token.sessionId];
    if (session?.revokedAt === undefined && (session?.family.generation ?? 0) < token.generation) {
      this.#fail("reply-before-confirmation", `${device.process.name} has a reply, but generation ${token.generation} is not confirmed`);
    }
  }

  #fail(promise: string, text: string): never {
    return this.#world.verdict.fail(promise, text);
  }
}
