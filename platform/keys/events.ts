import type { Logger } from "../logger.ts";
import type { KeyKind } from "./kind.ts";

/** What happens to the keys of a service, a function for each. */
export interface KeyEvents {
  /** Another key signs or enciphers from here on. */
  keyActivated(kind: KeyKind, kid: string): void;
  /** Some files cannot be read; the keys at hand go on. */
  keysUnreadable(kind: KeyKind, cause: unknown): void;
  keysReadable(kind: KeyKind): void;
  /** Everybody on the machine may read a key. */
  keyExposed(file: string): void;
  /** A key that data needs is lost, and the operator goes on without it. */
  keyGivenUp(kind: KeyKind, kid: string): void;
}

/** Events as log lines. */
export function createKeyEvents(logger: Logger): KeyEvents {
  return {
    keyActivated: (kind, kid) => logger.info({ kind, kid }, "key activated"),
    keysUnreadable: (kind, err) => logger.error({ kind, err }, "keys unreadable"),
    keysReadable: (kind) => logger.info({ kind }, "keys readable again"),
    keyExposed: (file) => logger.warn({ file }, "key file readable by everybody"),
    keyGivenUp: (kind, kid) => logger.warn({ kind, kid }, "key given up"),
  };
}
