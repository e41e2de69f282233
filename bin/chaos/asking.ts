import { CallError } from "../../client/call-error.ts";
import type { Ledger } from "./ledger.ts";

/** The outcome of one call: an answer; a refusal that another attempt would meet too; or neither, so that it may be made again. */
export type Asked<T> = { readonly kind: "answered"; readonly answer: T } | { readonly kind: "refused" | "open"; readonly failure: string };

/** How long one call may take before it is given up, in milliseconds. */
export const CALL_MS = 15_000;

/** What says nothing of the request: the system could not be asked, or not in time. */
const PASSING = new Set(["UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"]);
/** Why a call may be made again although its code would not say so. */
const PASSING_REASONS = new Set(["RATE_LIMITED", "LOGIN_REQUIRED"]);

/** Makes one call of the client library and counts it. Rejects only with what is no CallError. */
export async function ask<T>(ledger: Ledger, name: string, call: () => Promise<T>): Promise<Asked<T>> {
  ledger.request();
  try {
    return { kind: "answered", answer: await call() };
  } catch (error) {
    if (!(error instanceof CallError)) {
      throw error;
    }
    const { code, reason } = error;
    return { kind: PASSING.has(code) || PASSING_REASONS.has(reason) ? "open" : "refused", failure: `${name} ${code} ${reason}` };
  }
}
