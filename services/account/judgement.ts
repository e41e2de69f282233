import { randomBytes } from "node:crypto";
import { SallyportError, unavailable } from "../../platform/errors.ts";
import type { Uuid } from "../../platform/ids.ts";
import type { ServiceName } from "../../proto/method.ts";
import type { AccountContext } from "./context.ts";
import { tellGateways } from "./ending.ts";
import type { SessionReading } from "./store/sessions.ts";
import { type Judgement, type Presentation, present } from "./tokens/family.ts";
import { digestOf, makeRefreshToken, RANDOM_BYTES } from "./tokens/refresh-token.ts";
import { NONCE_BYTES, open, seal } from "./tokens/sealed.ts";

/** A refresh token that one of our keys made for the service. */
export interface ShownToken {
  readonly sessionId: Uuid;
  readonly generation: number;
  readonly token: Uint8Array;
  readonly service: ServiceName;
  /** Where it came from, in canonical form. */
  readonly address: string;
  /** In milliseconds since the epoch. */
  readonly deadline: number;
}

/** A presented token's successor, durable. */
export interface Exchanged {
  readonly accountId: string;
  readonly generation: number;
  readonly token: Uint8Array;
  /** When it was judged, by the clock of the database. */
  readonly at: Date;
}

/**
 * Judges a token until a judgement is written before anybody else's: one compare-and-set decides each transition, so any number of
 * presentations of one token get one and the same successor.
 * @throws SallyportError UNAUTHENTICATED when it is refused for good, UNAVAILABLE when it was retired a moment ago or is judged too late.
 */
export async function judge(context: AccountContext, shown: ShownToken): Promise<Exchanged> {
  const successor = mintSuccessor(context, shown);
  const presentation = presentationOf(shown, successor);
  for (;;) {
    const session = await readLive(context, shown);
    const judgement = present(session.families[shown.service], presentation, { now: session.now, graceMs: context.config.reuseGraceMs });
    const { outcome } = judgement;
    switch (outcome.kind) {
      case "minted":
      case "promoted":
      case "repeated":
        if (await advance(context, shown, session, judgement)) {
          context.events.refreshTokenJudged(outcome.kind);
          const token = outcome.kind === "repeated" ? open(outcome.sealed, shown.token) : successor;
          return { accountId: session.accountId, generation: outcome.generation, token, at: session.readAt };
        }
        break;
      case "reused":
        if (await endStolen(context, shown, session)) {
          context.events.refreshTokenJudged(outcome.kind);
          throw new SallyportError("UNAUTHENTICATED", "the refresh token is not valid", { reason: "REFRESH_TOKEN_REUSED" });
        }
        break;
      case "justRetired":
        context.events.refreshTokenJudged(outcome.kind);
        throw unavailable("the refresh token was retired a moment ago", "REFRESH_TOKEN_JUST_RETIRED");
      case "unknown":
      case "expired":
        context.events.refreshTokenJudged(outcome.kind);
        throw refreshTokenRefused();
    }
  }
}

/** The session, while it lives and there is time left. @throws SallyportError as `judge`. */
export async function readLive(context: AccountContext, { sessionId, deadline }: ShownToken): Promise<SessionReading> {
  const session = await context.sessions.find(sessionId);
  if (session === null || !session.isLive) {
    context.events.refreshTokenJudged("ended");
    throw refreshTokenRefused();
  }
  if (session.readAt.getTime() >= deadline) {
    throw unavailable("the judgement took too long", "JUDGEMENT_TOO_LATE");
  }
  return session;
}

/** The refusal of a refresh token, whatever the cause. */
export function refreshTokenRefused(): SallyportError {
  return new SallyportError("UNAUTHENTICATED", "the refresh token is not valid", { reason: "REFRESH_TOKEN_REFUSED" });
}

function mintSuccessor({ keys }: AccountContext, { sessionId, generation, service }: ShownToken): Buffer {
  return makeRefreshToken({ sessionId, generation: generation + 1 }, randomBytes(RANDOM_BYTES), keys.secret, service);
}

function presentationOf({ generation, token }: ShownToken, successor: Buffer): Presentation {
  const sealed = seal(successor, token, randomBytes(NONCE_BYTES));
  return { generation, digest: digestOf(token), fresh: { digest: digestOf(successor), sealed } };
}

function advance(
  { sessions }: AccountContext,
  { sessionId, service, deadline }: ShownToken,
  { families }: SessionReading,
  { family, outcome }: Judgement,
): Promise<boolean> {
  const retires = outcome.kind === "promoted" ? outcome.retires : undefined;
  return sessions.advance({ sessionId, service, version: families[service].version, family, retires, deadline });
}

async function endStolen(context: AccountContext, shown: ShownToken, { accountId, families }: SessionReading): Promise<boolean> {
  const { sessionId, service, address, deadline } = shown;
  const ended = await context.revocations.endStolen(sessionId, service, families[service].version, deadline);
  if (ended === undefined) {
    return false;
  }
  tellGateways(context, [sessionId]);
  await context.audit.reused({ accountId, sessionId, address, at: ended.at }, service);
  return true;
}
