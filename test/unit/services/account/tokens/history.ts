import { createHash } from "node:crypto";
import fc from "fast-check";
import { beginFamily, confirm, type Family, type Outcome, present } from "../../../../../services/account/tokens/family.ts";

/** The transitions under test: the real ones, or broken ones. */
export interface Rules {
  readonly present: typeof present;
  readonly confirm: typeof confirm;
}

/** The real transitions. */
export const realRules: Rules = { present, confirm };

/** One thing that happens. A client keeps its token on disk, and uses a few sockets at once, some of them slow. */
export type Happening =
  /** The client opens a socket and sends the token that it holds. */
  | { readonly kind: "send"; readonly socket: number }
  /** What a socket sent is judged. */
  | { readonly kind: "judge"; readonly socket: number }
  /** The answer reaches the client, which keeps it on disk. */
  | { readonly kind: "keep"; readonly socket: number }
  /** The client sends a frame on the socket whose successor it kept. */
  | { readonly kind: "confirm"; readonly socket: number }
  /** The socket is cut, or the client dies: what was not kept is gone. */
  | { readonly kind: "cut"; readonly socket: number }
  | { readonly kind: "passTime"; readonly ms: number }
  /** A thief copies the token that the client holds. */
  | { readonly kind: "steal" }
  /** A thief presents what it stole last, and goes on with the successor if it gets one. */
  | { readonly kind: "thieve"; readonly confirms: boolean };

const socket = fc.nat({ max: 3 });
const honest = [
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("send" as const), socket }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("judge" as const), socket }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("keep" as const), socket }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("confirm" as const), socket }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cut" as const), socket }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("passTime" as const), ms: fc.oneof(fc.nat({ max: 4_000 }), fc.nat({ max: 60_000 })) }),
  },
];
const thief = [
  { weight: 1, arbitrary: fc.constant({ kind: "steal" as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("thieve" as const), confirms: fc.boolean() }) },
];

/** Histories without a thief. */
export const honestHistories: fc.Arbitrary<Happening[]> = fc.array(fc.oneof(...honest), { minLength: 4, maxLength: 60, size: "max" });
/** Histories with one. */
export const histories: fc.Arbitrary<Happening[]> = fc.array(fc.oneof(...honest, ...thief), { minLength: 4, maxLength: 60, size: "max" });

/** A token of the model: its generation and its name stand for its bytes. */
export interface Token {
  readonly generation: number;
  readonly name: string;
}

/** What was presented, what came of it, and what the family was like before. */
export interface Presented {
  readonly by: "client" | "thief";
  readonly token: Token;
  readonly outcome: Outcome["kind"];
  readonly at: number;
}

export const GRACE_MS = 10_000;
/** A judgement that takes longer is dropped. */
const DEADLINE_MS = 5_000;

interface Socket {
  readonly sent: Token;
  readonly sentAt: number;
  readonly answer?: Token;
  readonly kept?: boolean;
}

/** A server with one family, the client, its sockets, and a thief. */
export class World {
  readonly presented: Presented[] = [];
  /** Every token that ever left the server. */
  readonly issued: Token[] = [];
  /** When the current token of each generation stopped being so, by generation. */
  readonly retiredAt: Map<number, number> = new Map();
  held: Token = { generation: 1, name: "first" };
  isRevoked = false;
  readonly #rules: Rules;
  readonly #sockets = new Map<number, Socket>();
  #family: Family;
  #stolen: Token | undefined;
  #now = 1_700_000_000_000;
  #minted = 0;

  constructor(rules: Rules) {
    this.#rules = rules;
    this.#family = beginFamily(digest(this.held), this.#time());
    this.issued.push(this.held);
  }

  happen(happening: Happening): void {
    switch (happening.kind) {
      case "send":
        this.#sockets.set(happening.socket, { sent: this.held, sentAt: this.#now });
        break;
      case "judge":
        this.#judge(happening.socket);
        break;
      case "keep":
        this.#keep(happening.socket);
        break;
      case "confirm":
        this.#confirmKept(happening.socket);
        break;
      case "cut":
        this.#sockets.delete(happening.socket);
        break;
      case "passTime":
        this.#now += happening.ms;
        break;
      case "steal":
        this.#stolen = this.held;
        break;
      case "thieve":
        this.#thieve(happening.confirms);
        break;
    }
  }

  /** What would come of a token at this moment; nothing is changed. */
  ask(token: Token): Outcome["kind"] {
    return this.#rules.present(this.#family, this.#shown(token), this.#moment()).outcome.kind;
  }

  #judge(key: number): void {
    const waiting = this.#sockets.get(key);
    if (waiting === undefined || waiting.answer !== undefined) {
      return;
    }
    const answer = this.#now - waiting.sentAt < DEADLINE_MS ? this.#present("client", waiting.sent) : undefined;
    if (answer === undefined) {
      this.#sockets.delete(key);
    } else {
      this.#sockets.set(key, { ...waiting, answer });
    }
  }

  #keep(key: number): void {
    const answered = this.#sockets.get(key);
    if (answered?.answer !== undefined) {
      this.#sockets.set(key, { ...answered, kept: true });
      if (answered.answer.generation > this.held.generation) {
        this.held = answered.answer;
      }
    }
  }

  #confirmKept(key: number): void {
    const { answer, kept } = this.#sockets.get(key) ?? {};
    if (answer !== undefined && kept) {
      this.#become(this.#rules.confirm(this.#family, answer.generation, this.#moment()));
    }
  }

  #thieve(confirms: boolean): void {
    const answer = this.#stolen && this.#present("thief", this.#stolen);
    if (answer !== undefined) {
      this.#stolen = answer;
      if (confirms) {
        this.#become(this.#rules.confirm(this.#family, answer.generation, this.#moment()));
      }
    }
  }

  #present(by: Presented["by"], token: Token): Token | undefined {
    if (this.isRevoked) {
      return undefined;
    }
    const shown = this.#shown(token);
    const { family, outcome } = this.#rules.present(this.#family, shown, this.#moment());
    this.presented.push({ by, token, outcome: outcome.kind, at: this.#now });
    this.#become(family);
    switch (outcome.kind) {
      case "minted":
      case "promoted":
        return this.#issue({ generation: outcome.generation, name: shown.fresh.sealed.toString() });
      case "repeated":
        return this.#issue({ generation: outcome.generation, name: outcome.sealed.toString() });
      case "reused":
        this.isRevoked = true;
        return undefined;
      case "justRetired":
      case "unknown":
      case "expired":
        return undefined;
    }
  }

  #become(family: Family): void {
    for (let generation = this.#family.generation; generation < family.generation; generation += 1) {
      this.retiredAt.set(generation, this.#now);
    }
    this.#family = family;
  }

  #issue(token: Token): Token {
    if (!this.issued.some(({ name }) => name === token.name)) {
      this.issued.push(token);
    }
    return token;
  }

  #shown(token: Token): Parameters<typeof present>[1] {
    this.#minted += 1;
    const name = `token ${this.#minted}`;
    // The model seals nothing: that only the predecessor opens a seal is tested with the seal.
    return {
      generation: token.generation,
      digest: digest(token),
      fresh: { digest: digest({ generation: token.generation + 1, name }), sealed: Buffer.from(name) },
    };
  }

  #moment(): { now: Date; graceMs: number } {
    return { now: this.#time(), graceMs: GRACE_MS };
  }

  #time(): Date {
    return new Date(this.#now);
  }
}

function digest({ generation, name }: Token): Buffer {
  return createHash("sha256").update(`${generation} ${name}`).digest();
}
