import { randomBytes } from "node:crypto";
import { parseUuid } from "../../../platform/ids.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { PresentRefreshTokenRequest, PresentRefreshTokenResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import type { AccountContext } from "../context.ts";
import { type Exchanged, judge, readLive, refreshTokenRefused, type ShownToken } from "../judgement.ts";
import { parseServiceName } from "../service-name.ts";
import { type GrantDocument, PURGE_AFTER_MS } from "../store/schema.ts";
import { ACCESS_RANDOM_BYTES, type GrantSocket, makeAccessToken } from "../tokens/access-token.ts";
import { digestOf } from "../tokens/refresh-token.ts";

/** A judgement takes at most this long, whatever the caller would wait. */
const JUDGEMENT_MS = 5_000;

/** TokenService.PresentRefreshToken. */
export function presentRefreshToken(context: AccountContext): Handler<PresentRefreshTokenRequest, PresentRefreshTokenResponse> {
  return async (request, call) => {
    const service = parseServiceName(request.service);
    const deadline = Math.min(call.deadline, Date.now() + JUDGEMENT_MS);
    const head = await context.keys.read(request.refreshToken, service);
    if (head === undefined) {
      context.events.refreshTokenJudged("foreign");
      throw refreshTokenRefused();
    }
    const { address, incarnation, connection } = request;
    const shown: ShownToken = { ...head, token: request.refreshToken, service, address, deadline };

    const successor = await judge(context, shown);
    const accessToken = makeAccessToken(randomBytes(ACCESS_RANDOM_BYTES), context.keys.secret);
    const grantId = await grant(context, shown, successor, accessToken, { address, incarnation: parseUuid(incarnation), connection });

    const { accountId, generation, token: nextRefreshToken } = successor;
    return { accountId, sessionId: shown.sessionId, generation, nextRefreshToken, accessToken, grantId };
  };
}

/** Makes an access token valid, unless the session or the account ended, or the deadline passed, before that was durable. Answers the id of its grant. */
async function grant(
  context: AccountContext,
  shown: ShownToken,
  { accountId, generation, at }: Exchanged,
  accessToken: Buffer,
  socket: GrantSocket,
): Promise<string> {
  const { sessionId, service, address } = shown;
  const _id = digestOf(accessToken).toString("hex");
  const createdAt = new Date(context.clock());
  const purgeAt = new Date(createdAt.getTime() + PURGE_AFTER_MS);
  const granted: GrantDocument = { _id, service, accountId, sessionId, generation, socket, createdAt, purgeAt };
  const audited = context.audit.rotated({ accountId, sessionId, address, at }, service);
  await Promise.all([audited, context.grants.add(granted).then(() => lookAgain(context, shown, granted, audited))]);
  return _id;
}

/** Takes a grant back unless the session lives and the account is open, by readings that begin only now that it is durable. */
async function lookAgain(context: AccountContext, shown: ShownToken, granted: GrantDocument, audited: Promise<void>): Promise<void> {
  try {
    // Whoever ends the session before this is seen here, and whoever ends it later finds the socket.
    // The account too: a lock or a deletion is written before the sessions end.
    const [standing] = await Promise.all([context.accounts.standing(granted.accountId), readLive(context, shown)]);
    if (standing !== "open") {
      throw refreshTokenRefused();
    }
  } catch (error) {
    await Promise.all([audited, context.grants.forget(granted._id)]);
    throw error;
  }
}
