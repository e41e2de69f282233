import type { Clock } from "../platform/clock.ts";
import { SallyportError } from "../platform/errors.ts";
import type { Caller } from "../platform/rpc/call.ts";
import type { ServiceName } from "../proto/method.ts";
import type { Services } from "./relay.ts";

/** How long a check that went well is believed. */
const BELIEVE_MS = 500;
const CHECK_MS = 5_000;
const MAX_REMEMBERED = 50_000;
// Base64 of 32 bytes: 43 digits, of which the last carries four bits, and one "=".
const BEARER = /^Bearer +([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=) *$/i;

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

  constructor(services: () => Services, clock: Clock) {
    this.#services = services;
    this.#clock = clock;
  }

  /**
   * Who calls, by an `Authorization` header (RFC 6750) and the caller's address.
   * @throws SallyportError UNAUTHENTICATED, PERMISSION_DENIED (a token of another service), or UNAVAILABLE when nobody can be asked.
   */
  async check(authorization: string | null, service: ServiceName, address: string): Promise<Caller> {
    const token = BEARER.exec(authorization ?? "")?.[1];
    if (token === undefined) {
      throw new SallyportError("UNAUTHENTICATED", "no access token", { reason: "CREDENTIAL_MISSING" });
    }
    const key = `${service} ${address} ${token}`;
    const known = this.#checks.get(key);
    if (known !== undefined && this.#clock() - known.startedAt < BELIEVE_MS) {
      return await known.caller;
    }
    this.#forget(key);
    return await this.#ask(key, Buffer.from(token, "base64"), service, address);
  }

  /** Asks again from now on for every token of a session. */
  forgetSession(sessionId: string): void {
    for (const key of this.#bySession.get(sessionId) ?? []) {
      this.#forget(key);
    }
    // Checks under way may have been answered before the session ended.
    for (const [key, { sessionId: known }] of this.#checks) {
      if (known === undefined) {
        this.#checks.delete(key);
      }
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
    try {
      const { sessionId } = await caller;
      if (this.#checks.get(key) === check) {
        check.sessionId = sessionId;
        this.#bySession.set(sessionId, (this.#bySession.get(sessionId) ?? new Set()).add(key));
      }
      return await caller;
    } catch (error) {
      if (this.#checks.get(key) === check) {
        this.#checks.delete(key);
      }
      throw error;
    }
  }

  #forget(key: string): void {
    const sessionId = this.#checks.get(key)?.sessionId;
    this.#checks.delete(key);
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

/** Whatever is neither a yes nor a no says that nobody can be asked. */
function refusal(error: SallyportError): SallyportError {
  if (error.status === "UNAUTHENTICATED" || error.status === "PERMISSION_DENIED") {
    return error;
  }
  return new SallyportError("UNAVAILABLE", "the access token cannot be checked", { reason: "CHECK_UNAVAILABLE", cause: error });
}
