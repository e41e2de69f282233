import { invalidArgument } from "../../../platform/errors.ts";
import type { Handler } from "../../../platform/rpc/call.ts";
import type { ListRevocationsRequest, ListRevocationsResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import type { AccountContext } from "../context.ts";

/**
 * TokenService.ListRevocations. The cursor is a time of the database's clock, in milliseconds since the epoch. Every answer
 * names the ends of the last seconds again; a gateway needs them, because a presentation may be answered just after the news of an end.
 */
export function listRevocations({ revocations }: AccountContext): Handler<ListRevocationsRequest, ListRevocationsResponse> {
  return async ({ cursor }) => {
    const asked = parseCursor(cursor);

    const now = await revocations.now();
    const sessionIds = await revocations.listSince(asked ?? now);

    return { sessionIds: [...sessionIds], cursor: String(now) };
  };
}

function parseCursor(cursor: string): number | undefined {
  if (cursor !== "" && !/^\d{1,15}$/.test(cursor)) {
    throw invalidArgument([{ field: "cursor", description: "must be the cursor of an earlier answer" }]);
  }
  return cursor === "" ? undefined : Number(cursor);
}
