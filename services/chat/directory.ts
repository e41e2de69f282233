import type { Clock } from "../../platform/clock.ts";
import { unavailable } from "../../platform/errors.ts";
import { GroupCommit } from "../../platform/group-commit.ts";
import { AnyCopy } from "../../platform/rpc/any-copy.ts";
import type { TargetOverrides } from "../../platform/rpc/targets.ts";
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
/** Copies of the account service that one question goes to at most. */
const MOST_COPIES = 2;

/** A directory over unary gRPC to any copy that the targets lead to. */
export function openDirectory(
  targets: readonly string[],
  now: Clock,
  tls?: InternalTls,
  overrides?: TargetOverrides,
): Directory & Disposable {
  const copies = new AnyCopy({ service: directoryService, role: "account", targets, tls, mostAsked: MOST_COPIES }, overrides);
  const believed = new Map<string, number>();

  const ask = async (accountIds: string[]): Promise<ReadonlySet<string>> => {
    try {
      const answer = await copies.ask((client) => client.filterAccounts({ accountIds }, { deadline: now() + ASK_MS }));
      return new Set(answer.accountIds.map((id) => id.toLowerCase()));
    } catch (error) {
      throw unavailable("the account service cannot be asked", "ACCOUNT_SERVICE_UNAVAILABLE", error);
    }
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
    [Symbol.dispose]: () => copies[Symbol.dispose](),
  };
}

function dropOldest(believed: Map<string, number>): void {
  if (believed.size > MAX_BELIEVED) {
    const [oldest] = believed.keys();
    believed.delete(oldest ?? "");
  }
}
