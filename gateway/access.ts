import type { Clock } from "../platform/clock.ts";
import { SallyportError } from "../platform/errors.ts";
import type { Caller } from "../platform/rpc/call.ts";
import type { ServiceName } from "../proto/method.ts";
import { readBearer } from "./bearer.ts";
import type { Services } from "./relay.ts";

/** How long a check that went well is believed. */
const BELIEVE_MS = 500;
const CHECK_MS = 5_000;
const MAX_REMEMBERED = 50_000;
const TOKEN_BYTES = 32;

interface Check {
  readonly caller: Promise<Caller>;
  readonly startedAt: number;
  sessionId?: string;
}

/** Whose access tokens the calls over HTTP carry. */
export class AccessChecks {
  readonly #services: () => Services;
  readonly #clock: Clock;
  readonly #checks = new Map<string, Check>();
  readonly #bySession = new Map<string, Set<string>>();
  /** The keys of the checks whose session is not known yet. */
  readonly #underWay = new Set<string>();

  constructor(services: () => Services, clock: Clock) {
    this.#services = services;
    this.#clock = clock;
  }

  /**
   * Who calls, by an `Authorization` header (RFC 6750) and the caller's address.
   * @throws SallyportError UNAUTHENTICATED, PERMISSION_DENIED (a token of another service), or UNAVAILABLE when nobody can be asked.
   */
  async check(authorization: string | null, service: ServiceName, address: string): Promise<Caller> {
    const accessToken = parseAccessToken(authorization);
    if (accessToken === undefined) {
      throw new SallyportError("UNAUTHENTICATED", "no access token", { reason: "CREDENTIAL_MISSING" });
    }
    const key = `${service} ${address} ${accessToken.toString("base64")}`;
    const known = this.#checks.get(key);
    if (known !== undefined && this.#clock() - known.startedAt < BELIEVE_MS) {
      return await known.caller;
    }
    this.#forget(key);
    return await this.#ask(key, accessToken, service, address);
  }

  /** Asks again from now on for every token of a session. */
  forgetSession(sessionId: string): void {
    for (const key of this.#bySession.get(sessionId) ?? []) {
      this.#forget(key);
    }
    // Checks under way may have been answered before the session ended.
    for (const key of this.#underWay) {
      this.#forget(key);
    }
  }

  async #ask(key: string, accessToken: Buffer, service: ServiceName, address: string): Promise<Caller> {
    this.#shrink();
    const { tokens } = this.#services().account.pick(key);
    const options = { deadline: this.#clock() + CHECK_MS, address };
    const caller = tokens.checkAccessToken({ accessToken, service, address }, options).then(
      ({ accountId, sessionId }) => ({ accountId, sessionId, service }),
      (error: SallyportError) => {
        throw refusal(error);
      },
    );
    const check: Check = { caller, startedAt: this.#clock() };
    this.#checks.set(key, check);
    this.#underWay.add(key);
    try {
      const { sessionId } = await caller;
      if (this.#checks.get(key) === check) {
        check.sessionId = sessionId;
        this.#underWay.delete(key);
        this.#bySession.set(sessionId, (this.#bySession.get(sessionId) ?? new Set()).add(key));
      }
      return await caller;
    } catch (error) {
      if (this.#checks.get(key) === check) {
        this.#forget(key);
      }
      throw error;
    }
  }

  #forget(key: string): void {
    const sessionId = this.#checks.get(key)?.sessionId;
    this.#checks.delete(key);
    this.#underWay.delete(key);
    if (sessionId !== undefined) {
      const keys = this.#bySession.get(sessionId);
      keys?.delete(key);
      if (keys?.size === 0) {
        this.#bySession.delete(sessionId);
      }
    }
  }

  /** Checks are kept in the order in which they were made: the first are the oldest. */
  #shrink(): void {
    const oldest = this.#clock() - BELIEVE_MS;
    for (const [key, { startedAt }] of this.#checks) {
      if (startedAt > oldest && this.#checks.size < MAX_REMEMBERED) {
        return;
      }
      this.#forget(key);
    }
  }
}

/** The access token of an `Authorization` header; undefined when it is not written exactly as it was issued. */
function parseAccessToken(authorization: string | null): Buffer | undefined {
  const text = readBearer(authorization) ?? "";
  const token = Buffer.from(text, "base64");
  return token.length === TOKEN_BYTES && token.toString("base64") === text ? token : undefined;
}

/** Whatever is neither a yes nor a no says that nobody can be asked. */
function refusal(error: SallyportError): SallyportError {
  if (error.status === "UNAUTHENTICATED" || error.status === "PERMISSION_DENIED") {
    return error;
  }
  return new SallyportError("UNAVAILABLE", "the access token cannot be checked", { reason: "CHECK_UNAVAILABLE", cause: error });
}
