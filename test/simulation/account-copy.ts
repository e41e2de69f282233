import type { GatewayPeer } from "../../platform/rpc/call.ts";
import { confirm, type Judgement, present } from "../../services/account/tokens/family.ts";
import type { SessionRow } from "./database.ts";
import { JUDGED_TOO_LATE, JUST_RETIRED, TOKEN_REFUSED } from "./failures.ts";
import type { Call, RelayService } from "./relay.ts";
import { Process, type Task } from "./timeline.ts";
import type { Token } from "./tokens.ts";
import type { World } from "./world.ts";

/** The default of ACCOUNT_REUSE_GRACE_MS. */
export const GRACE_MS = 10_000;
const JUDGEMENT_MS = 5_000;

/** What a session was like at a moment of the database's clock. */
interface Reading {
  readonly session: SessionRow;
  readonly readAt: number;
}

/** A copy of the account service: services/account/{judgement,ending}.ts and rpc/{present,confirm}-refresh-token.ts, step by step. */
export class AccountCopy implements RelayService {
  readonly process: Process;
  readonly #world: World;
  readonly #gateways = new Set<GatewayPeer>();

  constructor(world: World, index: number) {
    this.#world = world;
    this.process = new Process(`account ${index}`);
  }

  /** Begins a run of the process. */
  start(): void {
    this.process.isUp = true;
    this.#gateways.clear();
  }

  gatewayJoined(gateway: GatewayPeer): void {
    this.#gateways.add(gateway);
  }

  gatewayLeft(gateway: GatewayPeer): void {
    this.#gateways.delete(gateway);
  }

  *present(call: Call, token: Token): Task<{ readonly accountId: string; readonly token: Token }> {
    const { timeline, database, tokenWatch } = this.#world;
    const deadline = Math.min(call.deadline, timeline.now + JUDGEMENT_MS);
    const successor = yield* this.#judge(token, deadline);
    // The grant.
    yield* database.ask(this.process, () => undefined);
    const { session } = yield* this.#readLive(token.sessionId, deadline);
    tokenWatch.answered(token, successor);
    return { accountId: session.accountId, token: successor };
  }

  *confirm(sessionId: number, generation: number): Task<void> {
    const { database, tokenWatch, timeline, flaw } = this.#world;
    yield* database.ask(this.process, () => {
      const session = database.sessions[sessionId] as SessionRow;
      const { family } = session;
      const which = flaw === "confirms-any-generation" ? (family.next?.generation ?? generation) : generation;
      if (session.revokedAt === undefined) {
        session.family = confirm(family, which, { now: new Date(timeline.now), graceMs: GRACE_MS });
        tokenWatch.familyWritten(session, family);
      }
    });
  }

  *#judge(token: Token, deadline: number): Task<Token> {
    const { mint, flaw } = this.#world;
    const fresh = mint.make(token.sessionId, token.generation + 1);
    const presentation = { generation: token.generation, digest: token.bytes, fresh: { digest: fresh.bytes, sealed: fresh.bytes } };
    for (;;) {
      const { session, readAt } = yield* this.#readLive(token.sessionId, deadline);
      const { family: read } = session;
      const isForgetful = flaw === "mints-on-every-repeat" && token.generation === read.generation;
      const { next, ...withoutNext } = read;
      const judged = isForgetful && next !== undefined ? withoutNext : read;
      const graceMs = flaw === "has-no-grace" ? 0 : GRACE_MS;
      const judgement = present(judged, presentation, { now: new Date(readAt), graceMs });
      const { outcome } = judgement;
      switch (outcome.kind) {
        case "minted":
        case "promoted":
        case "repeated":
          if (flaw === "sends-before-durable") {
            this.#world.timeline.spawn(this.#advance(session, judgement, deadline), undefined, () => undefined);
            return outcome.kind === "repeated" ? mint.read(outcome.sealed) : fresh;
          }
          if (yield* this.#advance(session, judgement, deadline)) {
            return outcome.kind === "repeated" ? mint.read(outcome.sealed) : fresh;
          }
          break;
        case "reused":
          if (flaw === "forgives-theft") {
            throw TOKEN_REFUSED;
          }
          if (yield* this.#endStolen(session, token, deadline)) {
            throw TOKEN_REFUSED;
          }
          break;
        case "justRetired":
          throw JUST_RETIRED;
        case "unknown":
        case "expired":
          throw TOKEN_REFUSED;
      }
    }
  }

  *#readLive(sessionId: number, deadline: number): Task<Reading> {
    const { database, timeline, flaw } = this.#world;
    const reading = yield* database.ask(this.process, () => ({
      session: { ...(database.sessions[sessionId] as SessionRow) },
      readAt: timeline.now,
    }));
    if (reading.session.revokedAt !== undefined) {
      throw TOKEN_REFUSED;
    }
    if (reading.readAt >= deadline && flaw !== "judges-too-late") {
      throw JUDGED_TOO_LATE;
    }
    return reading;
  }

  #advance({ id, family: read }: SessionRow, { family, outcome }: Judgement, deadline: number): Task<boolean> {
    const { database, tokenWatch, timeline, flaw } = this.#world;
    return database.ask(this.process, () => {
      const session = database.sessions[id] as SessionRow;
      const isSame = session.family.version === read.version || flaw === "advances-uncompared";
      if (session.revokedAt !== undefined || !isSame || timeline.now >= deadline) {
        return false;
      }
      const before = session.family;
      const retires = outcome.kind === "promoted" ? outcome.retires : undefined;
      // The predecessor retires when this is written.
      const retired = family.retired.map((one) => (one.generation === retires ? { ...one, at: new Date(timeline.now) } : one));
      session.family = { ...family, retired };
      tokenWatch.familyWritten(session, before);
      return true;
    });
  }

  *#endStolen({ id, family: read }: SessionRow, token: Token, deadline: number): Task<boolean> {
    const world = this.#world;
    const { database, timeline } = world;
    const hasEnded = yield* database.ask(this.process, () => {
      const session = database.sessions[id] as SessionRow;
      const isLate = timeline.now >= deadline && world.flaw !== "judges-too-late";
      if (session.revokedAt !== undefined || session.family.version !== read.version || isLate) {
        return false;
      }
      session.revokedAt = timeline.now;
      world.tokenWatch.revoked(session, token);
      world.readRevocationLog(`${id}`);
      return true;
    });
    if (hasEnded) {
      for (const gateway of this.#gateways) {
        gateway.revoke(`${id}`);
      }
    }
    return hasEnded;
  }
}
