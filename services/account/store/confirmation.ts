import type { Document } from "../../../platform/mongo.ts";
import type { ServiceName } from "../../../proto/method.ts";
import { MAX_RETIRED } from "../tokens/family.ts";

/** A client showed that it holds a generation of a family. */
export interface Confirmation {
  readonly sessionId: string;
  readonly service: ServiceName;
  readonly generation: number;
}

/** The guarded update that does in the database what `confirm` of tokens/family.ts says. `now` is an expression. */
export function confirmation(
  { sessionId, service, generation }: Confirmation,
  now: Document,
  graceMs: number,
): { filter: Document; update: Document[] } {
  const path = `families.${service}`;
  const remembered = { $filter: { input: `$${path}.retired`, cond: { $lt: [{ $subtract: [now, "$$this.at"] }, graceMs] } } };
  const retired = { $concatArrays: [remembered, [{ generation: `$${path}.generation`, at: now }]] };
  return {
    filter: { _id: sessionId, revokedAt: { $exists: false }, [`${path}.next.generation`]: generation },
    update: [
      {
        $set: {
          [`${path}.generation`]: `$${path}.next.generation`,
          [`${path}.digest`]: `$${path}.next.digest`,
          [`${path}.retired`]: { $slice: [retired, -MAX_RETIRED] },
          [`${path}.version`]: { $add: [`$${path}.version`, 1] },
        },
      },
      { $unset: `${path}.next` },
    ],
  };
}
