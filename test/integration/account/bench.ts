import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SallyportError } from "../../../platform/errors.ts";
import { KeyRing } from "../../../platform/keys/ring.ts";
import { initKeys } from "../../../platform/keys/rotation.ts";
import { Disposables } from "../../../platform/lifecycle.ts";
import { createLogger } from "../../../platform/logger.ts";
import { createIndexes, type Db, openDatabase } from "../../../platform/mongo.ts";
import type { Call, Caller, GatewayPeer } from "../../../platform/rpc/call.ts";
import { type LoginResponse, SecurityEventType } from "../../../proto/gen/sallyport/account/v1/account.ts";
import type { CheckAccessTokenResponse, PresentRefreshTokenResponse } from "../../../proto/gen/sallyport/account/v1/token.ts";
import type { ServiceName } from "../../../proto/method.ts";
import { type AccountContext, createContext } from "../../../services/account/context.ts";
import type { ProviderSettings } from "../../../services/account/identity/settings.ts";
import { checkAccessToken } from "../../../services/account/rpc/check-access-token.ts";
import { confirmRefreshToken } from "../../../services/account/rpc/confirm-refresh-token.ts";
import { listSecurityEvents } from "../../../services/account/rpc/list-security-events.ts";
import { login } from "../../../services/account/rpc/login.ts";
import { presentRefreshToken } from "../../../services/account/rpc/present-refresh-token.ts";
import { accountSchemas, type SessionDocument } from "../../../services/account/store/schema.ts";
import { freshDatabaseUri } from "../../support/mongod.ts";

/** The account service's handlers over a database of their own, with a clock that a test can put forward. */
export interface Bench extends AsyncDisposable {
  readonly context: AccountContext;
  readonly db: Db;
  readonly keysDir: string;
  /** A gateway whose lease runs, and what it was told. */
  readonly gateway: GatewayPeer & { readonly revoked: string[] };
  passTime(ms: number): void;
}

/** The address that `present` and `check` come from. */
export const ADDRESS = "192.0.2.1";

/** Opens a bench: dev login on, a grace of 10 s, settled, one gateway, the identity providers that are given. */
export async function openBench(
  config: Partial<AccountContext["config"]> = {},
  providers: readonly ProviderSettings[] = [],
): Promise<Bench> {
  const stack = new Disposables();
  const keysDir = await mkdtemp(join(tmpdir(), "account-keys-"));
  stack.defer(() => rm(keysDir, { recursive: true }));
  await initKeys(keysDir);
  const database = stack.use(openDatabase(freshDatabaseUri(), "account"));
  stack.defer(() => database.db.dropDatabase());
  await createIndexes(database.db, accountSchemas);

  let shift = 0;
  const settings = { debug: false, devLogin: true, reuseGraceMs: 10_000, ...config };
  const ring = await KeyRing.open(keysDir, "token");
  const context = createContext(settings, ring, providers, database.db, createLogger("test", "silent"), () => shift);
  const revoked: string[] = [];
  const gateway = {
    incarnation: randomUUID(),
    revoked,
    push: () => undefined,
    wake: () => undefined,
    wakeAt: () => undefined,
    revoke: (id: string) => void revoked.push(id),
  };
  context.gateways.add(gateway);
  await context.leases.renew(gateway.incarnation);
  return {
    context: { ...context, leaseWatch: { isSettling: false, seenUp: () => undefined } },
    db: database.db,
    keysDir,
    gateway,
    passTime: (ms) => {
      shift += ms;
    },
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}

/** A call as a gateway relays it. */
export function callOf(caller?: Omit<Caller, "service">, deadline: number = Date.now() + 5_000): Call {
  return {
    caller: caller && { ...caller, service: "account" },
    isOperator: false,
    address: ADDRESS,
    deadline,
    signal: new AbortController().signal,
    gateway: undefined,
  };
}

export async function logIn(
  { context }: Bench,
  name = "alice",
): Promise<LoginResponse & { readonly chat: Buffer; readonly sessionId: string }> {
  const credential = { $case: "dev", value: { name } } as const;
  const answer = await login(context)({ credential, client: undefined }, callOf());
  const chat = Buffer.from(answer.tokens["chat"]?.refreshToken ?? []);
  const hex = chat.toString("hex", 0, 16);
  const sessionId = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return { ...answer, chat, sessionId };
}

export async function present(
  { context, gateway }: Pick<Bench, "context" | "gateway">,
  refreshToken: Uint8Array,
  {
    service = "chat",
    connection = 1,
    deadline = Date.now() + 5_000,
  }: { service?: ServiceName; connection?: number; deadline?: number } = {},
): Promise<PresentRefreshTokenResponse & { readonly nextRefreshToken: Buffer; readonly accessToken: Buffer }> {
  const request = { refreshToken, service, address: ADDRESS, incarnation: gateway.incarnation, connection };
  const answer = await presentRefreshToken(context)(request, callOf(undefined, deadline));
  return { ...answer, nextRefreshToken: Buffer.from(answer.nextRefreshToken), accessToken: Buffer.from(answer.accessToken) };
}

/** The bench of a process that is held up before one step of a store: `meanwhile` runs first. */
export function heldUpBefore<S extends "accounts" | "sessions" | "grants" | "revocations">(
  bench: Bench,
  store: S,
  step: keyof Bench["context"][S],
  meanwhile: () => Promise<unknown>,
): Bench {
  const steps = bench.context[store] as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  let held = false;
  const holding = async (...args: unknown[]): Promise<unknown> => {
    if (!held) {
      held = true;
      await meanwhile();
    }
    return steps[step as string]?.(...args);
  };
  return { ...bench, context: { ...bench.context, [store]: { ...steps, [step]: holding } } };
}

/** The sessions whose end the gateway was told of so far: it is told in the turn after the answer. */
export async function told({ gateway }: Pick<Bench, "gateway">): Promise<readonly string[]> {
  await new Promise(setImmediate);
  return gateway.revoked;
}

export async function confirm({ context }: Bench, sessionId: string, generation: number, service: ServiceName = "chat"): Promise<void> {
  await confirmRefreshToken(context)({ sessionId, service, generation }, callOf());
}

export async function check(
  { context }: Pick<Bench, "context">,
  accessToken: Uint8Array,
  { service = "chat", address = ADDRESS }: { service?: ServiceName; address?: string } = {},
): Promise<CheckAccessTokenResponse> {
  return checkAccessToken(context)({ accessToken, service, address }, callOf());
}

/** The reason that a promise is refused for, or "OK". */
export async function reasonOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "OK";
  } catch (error) {
    return error instanceof SallyportError ? `${error.status} ${error.reason}` : String(error);
  }
}

/** What an operator's call is relayed as. */
export function operatorCall(deadline: number = Date.now() + 5_000): Call {
  return { ...callOf(undefined, deadline), isOperator: true, address: "" };
}

/** The security events that an account's owner sees, newest first: type, session and address. */
export async function eventsOf(
  { context }: Pick<Bench, "context">,
  caller: Omit<Caller, "service">,
): Promise<readonly (readonly [string, string, string])[]> {
  const { events } = await listSecurityEvents(context)({}, callOf(caller));
  const names = Object.entries(SecurityEventType);
  return events.map(({ type, sessionId, address }) => [names.find(([, number]) => number === type)?.[0] ?? "", sessionId, address]);
}

/** A session as it is stored. */
export async function stored({ db }: Bench, sessionId: string): Promise<SessionDocument> {
  const session = await db.collection<SessionDocument>("sessions").findOne({ _id: sessionId });
  if (session === null) {
    throw new Error("no such session");
  }
  return session;
}
