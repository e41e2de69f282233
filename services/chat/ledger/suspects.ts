import { acceptedAtOf } from "../delivery/hybrid-clock.ts";
import type { BodyHeading, ClaimView, Ledger } from "../store/ledger.ts";
import { type Bounds, faultsOf, isUnderWay } from "./faults.ts";

/** What a first look went through. */
export interface Looked {
  claims: number;
  bodies: number;
  unanswered: number;
}

/** The ids of messages that look wrong in passing, page by page, perhaps several times: claims and bodies are not read at one moment. */
export async function* findSuspects(ledger: Ledger, bounds: Bounds, looked: Looked): AsyncGenerator<readonly string[]> {
  for await (const page of ledger.bodies()) {
    looked.bodies += page.length;
    yield await suspectBodies(page, ledger, bounds);
  }
  for await (const page of ledger.pendingClaims(bounds.now)) {
    looked.claims += page.length;
    yield await suspectClaims(page, ledger, bounds, looked);
  }
  for await (const page of ledger.undatedClaims()) {
    yield page.map(({ id }) => id);
  }
}

async function suspectBodies(page: readonly BodyHeading[], ledger: Ledger, bounds: Bounds): Promise<readonly string[]> {
  const claims = await ledger.findClaims(page.map(({ id }) => id));
  const bodies = page.map(({ order, ...key }) => ({ ...key, acceptedAt: acceptedAtOf(order) }));
  return bodies.filter((body) => faultsOf({ claim: claims.get(body.id), bodies: [body] }, bounds).length > 0).map(({ id }) => id);
}

async function suspectClaims(page: readonly ClaimView[], ledger: Ledger, bounds: Bounds, looked: Looked): Promise<readonly string[]> {
  const whole = await ledger.findWithBody(page.map(({ id }) => id));
  const bodiless = page.filter(({ id }) => !whole.has(id));
  looked.unanswered += bodiless.filter((claim) => isUnderWay(claim, bounds)).length;
  const isSuspect = (claim: ClaimView): boolean => {
    // Whether it is its own body is seen from the body's side.
    const bodies = whole.has(claim.id) ? [{ id: claim.id, recipientId: "", acceptedAt: claim.acceptedAt }] : [];
    return faultsOf({ claim, bodies }, bounds).length > 0;
  };
  return page.filter(isSuspect).map(({ id }) => id);
}
