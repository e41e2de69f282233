import { invalidArgument, type Violation } from "../../../platform/errors.ts";
import { derivedUuid, uuidBytes } from "../../../platform/ids.ts";
import { callerOf, type Handler } from "../../../platform/rpc/call.ts";
import type { ReportedMessage, ReportMessagesRequest, ReportMessagesResponse } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import type { ChatContext } from "../context.ts";
import { digestBody, type ReceiptClaims } from "../receipts/claims.ts";

const MAX_BYTES = 5_242_880;

/** Files messages of a conversation, each proved by its receipt; one that is not proved refuses all. */
export function reportMessages({
  receipts,
  reports,
  sealer,
  events,
  now,
}: ChatContext): Handler<ReportMessagesRequest, ReportMessagesResponse> {
  return async ({ reason, messages }, call) => {
    const { accountId } = callerOf(call);
    requireSize(messages);
    const claims = await Promise.all(messages.map(({ receipt }) => receipts.verify(receipt)));
    const evidence = requireProof(accountId, messages, claims);

    const reportId = derivedUuid(uuidBytes(accountId), ...messages.map(({ receipt }) => `${receipt.slice(0, receipt.lastIndexOf("."))}\n`));
    const filed = evidence.map(({ claims: { jti, sub, aud, iat }, message: { receipt, body } }) => ({
      messageId: jti,
      senderId: sub,
      recipientId: aud,
      sentAt: new Date(iat * 1000),
      receipt,
      sealed: sealer.seal(jti, body),
    }));
    await reports.file({
      ...{ _id: reportId, reporterId: accountId, reporterKey: accountId, reason, createdAt: new Date(now()), state: "open" },
      ...{ reportedIds: reportedBy(accountId, evidence), messageCount: filed.length, messages: filed },
    });

    events.reportFiled(reportId, messages.length);
    return { reportId };
  };
}

function requireSize(messages: readonly ReportedMessage[]): void {
  const bytes = messages.reduce((total, { body }) => total + body.length, 0);
  if (bytes > MAX_BYTES) {
    throw invalidArgument([{ field: "messages", description: `must be at most ${MAX_BYTES} bytes of bodies together` }]);
  }
}

interface Evidence {
  readonly claims: ReceiptClaims;
  readonly message: ReportedMessage;
}

function reportedBy(accountId: string, evidence: readonly Evidence[]): string[] {
  const parties = evidence.flatMap(({ claims: { sub, aud } }) => [sub, aud]);
  return [...new Set(parties)].filter((id) => id !== accountId);
}

function requireProof(
  accountId: string,
  messages: readonly ReportedMessage[],
  claims: readonly (ReceiptClaims | undefined)[],
): readonly Evidence[] {
  const violations: Violation[] = [];
  const evidence = messages.flatMap((message, index) => {
    const said = claims[index];
    if (said === undefined || (said.sub !== accountId && said.aud !== accountId)) {
      violations.push({ field: `messages[${index}].receipt`, description: "must be a receipt of a message that the caller sent or got" });
      return [];
    }
    if (said.dig !== digestBody(message.body)) {
      violations.push({ field: `messages[${index}].body`, description: "must be the body that the receipt was made for" });
    }
    return [{ claims: said, message }];
  });
  if (violations.length > 0) {
    throw invalidArgument(violations);
  }
  return evidence;
}
