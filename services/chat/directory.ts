import type { Clock } from "../../platform/clock.ts";
import { unavailable } from "../../platform/errors.ts";
import { GroupCommit } from "../../platform/group-commit.ts";
import { Channel } from "../../platform/rpc/channel.ts";
import { createClient } from "../../platform/rpc/client.ts";
import type { InternalTls } from "../../platform/rpc/tls.ts";
import { directoryService } from "../../proto/gen/policy/services.ts";

/** Which accounts there are, as the account service knows. */
export interface Directory {
  /** @throws UNAVAILABLE when the account service cannot be asked. */
  exists(accountId: string): Promise<boolean>;
  /** Whether `exists` would answer from an earlier question. */
  believes(accountId: string): boolean;
  /** The same as `exists`, asked anew whatever is believed. */
  existsNow(accountId: string): Promise<boolean>;
  /** Believes nothing of an account any more. */
  doubt(accountId: string): void;
}

/** Answers "exists" are believed for so long; "does not exist" is asked again each time. */
const BELIEVED_MS = 5_000;
const MAX_BELIEVED = 50_000;
const ASK_MS = 2_000;
const MAX_ASKED = 1_000;

/** A directory over unary gRPC to any of the targets. */
export function openDirectory(targets: readonly string[], now: Clock, tls?: InternalTls): Directory & Disposable {
  const channels = targets.map((target) => new Channel(target, tls?.to("account")));
  const clients = channels.map((channel) => createClient(directoryService, channel));
  const believed = new Map<string, number>();

  // The client that answered last comes first: one that hangs costs one question, not every one.
  let order: typeof clients = clients;
  const ask = async (accountIds: string[]): Promise<ReadonlySet<string>> => {
    let cause: unknown;
    for (const client of order) {
      try {
        const answer = await client.filterAccounts({ accountIds }, { deadline: now() + ASK_MS });
        order = [client, ...clients.filter((other) => other !== client)];
        return new Set(answer.accountIds.map((id) => id.toLowerCase()));
      } catch (error) {
        cause = error;
      }
    }
    throw unavailable("the account service cannot be asked", "ACCOUNT_SERVICE_UNAVAILABLE", cause);
  };
  const questions = new GroupCommit<string, boolean>(async (ids) => {
    const existing = await ask([...new Set(ids)]);
    return ids.map((id) => existing.has(id));
  }, MAX_ASKED);

  const believes = (accountId: string): boolean => (believed.get(accountId) ?? 0) > now();
  const existsNow = async (accountId: string): Promise<boolean> => {
    const exists = await questions.add(accountId);
    believed.delete(accountId);
    if (exists) {
      believed.set(accountId, now() + BELIEVED_MS);
      dropOldest(believed);
    }
    return exists;
  };

  return {
    exists: async (accountId) => believes(accountId) || existsNow(accountId),
    believes,
    existsNow,
    doubt: (accountId) => {
      believed.delete(accountId);
    },
    [Symbol.dispose]: () => {
      for (const channel of channels) {
        channel[Symbol.dispose]();
      }
    },
  };
}

function dropOldest(believed: Map<string, number>): void {
  if (believed.size > MAX_BELIEVED) {
    const [oldest] = believed.keys();
    believed.delete(oldest ?? "");
  }
}
