/** A message that went wrong: who wrote to whom, and the id that its sender made. */
export interface Suspect {
  readonly senderId: string;
  readonly recipientId: string;
  readonly clientMessageId: string;
}

/** A message that was handed over again: to an app that had it, or after the server knew that it was delivered, or as another one. */
export interface Duplicate extends Suspect {
  readonly how: "to one app" | "known to be delivered" | "under another id";
}

/** A connection that ended although its app wanted it. */
export interface Expulsion {
  readonly account: string;
  readonly reason: string;
}

/** What clients saw of a system, from their first login to the end. Lists name what was wrong, counts what was. */
export interface Verdict {
  /** Calls that apps made of the client library. */
  readonly requests: number;
  /** Calls that went out to gateways for them, repeats included. */
  readonly attempts: number;
  /** Sends that were answered OK. */
  readonly accepted: number;
  /** Accepted messages that reached their recipient's app. */
  readonly delivered: number;
  /** Accepted messages that waited for a recipient who stayed away on purpose, until all others had arrived. */
  readonly pending: number;
  /** Sends that were never answered, neither OK nor with a refusal. */
  readonly inDoubt: number;
  /** People whose fresh app at the end was not given everything before the time was over: what it might have been given is not known. */
  readonly unchecked: number;
  /** Messages that came with another time or receipt than their send was answered with, before it was answered: a process died in between. */
  readonly restamped: number;
  /** Accepted, and never handed to the recipient's app. */
  readonly lost: readonly Suspect[];
  /** Handed to an app that had kept it, or again after the server knew that it was delivered. */
  readonly duplicated: readonly Duplicate[];
  /** Handed to somebody with another body, time or receipt than it was accepted with, or that nobody sent. */
  readonly altered: readonly Suspect[];
  /** Handed to the recipient's app although the send was refused for good. */
  readonly contradicted: readonly Suspect[];
  /** Handed over after a later message of the same sender. */
  readonly disordered: readonly Suspect[];
  /** Accepted, and in another state than it must be: delivered, or pending while the recipient stays away. */
  readonly misstated: readonly Suspect[];
  /** Calls that were refused for good, by method, code and reason. */
  readonly failed: Readonly<Record<string, number>>;
  /** Connections that ended so that their owner has to log in again, or to mend the client. */
  readonly loggedOut: readonly Expulsion[];
  /** Connections that were told of a newer one of their account which was not there. */
  readonly ghostDisplaced: readonly Expulsion[];
}

/** The parts of a verdict that are not as they must be; none when all is well. */
export function faultsOf(verdict: Verdict): readonly string[] {
  const { lost, duplicated, altered, contradicted, disordered, misstated, loggedOut, ghostDisplaced } = verdict;
  const counts = Object.entries({ lost, duplicated, altered, contradicted, disordered, misstated, loggedOut, ghostDisplaced });
  const wrong = counts.flatMap(([name, { length }]) => (length > 0 ? [`${name}: ${length}`] : []));
  const refusals = Object.entries(verdict.failed).map(([call, times]) => `failed: ${times} × ${call}`);
  const unanswered = verdict.inDoubt > 0 ? [`in doubt: ${verdict.inDoubt}`] : [];
  const unchecked = verdict.unchecked > 0 ? [`unchecked: ${verdict.unchecked}`] : [];
  return [...wrong, ...refusals, ...unanswered, ...unchecked];
}
