/** What a client does when its socket was closed. */
export type Reaction = "reconnect" | "reconnect-after-hint" | "login-again" | "stop" | "fix-client";

/** A close code of the protocol (docs/protocol.md, close codes). */
export interface CloseCode {
  readonly meaning: string;
  readonly reaction: Reaction;
  /** Where the hint is: in the `draining` event before, or the close reason, in milliseconds. */
  readonly hint?: "draining" | "reason";
}

/** What a client does after each close code of the protocol; of another code it thinks as of 1006. */
export const CLOSE_CODES: Readonly<Record<number, CloseCode>> = {
  1000: { meaning: "closed", reaction: "reconnect" },
  1001: { meaning: "the server is going away", reaction: "reconnect" },
  1006: { meaning: "the connection was cut", reaction: "reconnect" },
  1009: { meaning: "a frame was too big", reaction: "fix-client" },
  4001: { meaning: "the gateway is draining", reaction: "reconnect-after-hint", hint: "draining" },
  4008: { meaning: "events were read too slowly", reaction: "reconnect" },
  4400: { meaning: "a frame was malformed or out of order", reaction: "fix-client" },
  4401: { meaning: "the refresh token was refused, or the session revoked", reaction: "login-again" },
  4408: { meaning: "the token exchange was not completed in time", reaction: "reconnect" },
  4409: { meaning: "a newer socket of the account took over", reaction: "stop" },
  4429: { meaning: "too many connections, too fast", reaction: "reconnect-after-hint", hint: "reason" },
  4503: { meaning: "a fault on the server's side", reaction: "reconnect" },
};

/** What a close code says; one that the protocol does not know is a cut. */
export function closeCode(code: number): CloseCode {
  return CLOSE_CODES[code] ?? { meaning: "the connection was cut", reaction: "reconnect" };
}
