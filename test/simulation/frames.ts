import type { SallyportError } from "../../platform/errors.ts";
import type { Accepted } from "../../services/chat/delivery/message.ts";
import type { Token } from "./tokens.ts";

/** A message as its sender has it. Bodies are told apart by identity. */
export interface Letter {
  readonly id: string;
  readonly recipientId: string;
  readonly body: Buffer;
}

/** What a client sends on its socket. */
export type ClientFrame =
  | { readonly kind: "token"; readonly token: Token; readonly sentAt: number }
  | { readonly kind: "keepAlive" }
  | { readonly kind: "ack"; readonly ids: readonly string[] }
  | { readonly kind: "send"; readonly letter: Letter; readonly answered: (outcome: Outcome) => void }
  | { readonly kind: "ackCall"; readonly ids: readonly string[]; readonly answered: (outcome: Outcome) => void }
  | { readonly kind: "close" };

/** What a server sends on a socket. */
export type ServerFrame =
  | { readonly kind: "token"; readonly token: Token }
  | { readonly kind: "access"; readonly generation: number }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "reply"; readonly outcome: Outcome; readonly answered: (outcome: Outcome) => void }
  | { readonly kind: "closed"; readonly code: number };

/** What a call came to. */
export type Outcome =
  | { readonly kind: "accepted"; readonly accepted: Accepted }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: SallyportError };
