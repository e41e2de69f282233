import { invalidArgument } from "../../../platform/errors.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { ListRevocationsRequest, ListRevocationsResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import type { AccountContext } from "../context.ts";
import type { RevocationPlace } from "../store/revocations.ts";

/**
 * TokenService.ListRevocations. The cursor is a time of the database's clock, in milliseconds since the epoch. Every answer
 * names the ends of the last seconds again; a gateway needs them, because a presentation may be answered just after the news of an end. Where
 * there is more than one answer takes, the cursor says besides where the list goes on; its time stays that of the first answer, so that
 * what came to be seen late is in the list after it.
 */
export function listRevocations({ revocations }: AccountContext): Handler<ListRevocationsRequest, ListRevocationsResponse> {
  return async ({ cursor }) => {
    const asked = parseCursor(cursor);

    const time = asked?.rest === undefined ? await revocations.now() : asked.time;
    const { sessionIds, rest } = await (asked?.rest ? revocations.listRest(asked.rest) : revocations.listSince(asked?.time ?? time));

    return { sessionIds: [...sessionIds], cursor: formatCursor({ time, rest }) };
  };
}

/** Since when, or on with which list. */
interface Cursor {
  readonly time: number;
  readonly rest: RevocationPlace | undefined;
}

function formatCursor({ time, rest }: Cursor): string {
  return rest === undefined ? `${time}` : `${time}.${rest.at}.${rest.sessionId}`;
}

function parseCursor(cursor: string): Cursor | undefined {
  const [, time, at, sessionId] = /^(\d{1,15})(?:\.(\d{1,15})\.([\da-f-]{36}))?$/.exec(cursor) ?? [];
  if (cursor !== "" && time === undefined) {
    throw invalidArgument([{ field: "cursor", description: "must be the cursor of an earlier answer" }]);
  }
  return time === undefined ? undefined : { time: Number(time), rest: sessionId === undefined ? undefined : { at: Number(at), sessionId } };
}
