/** Which messages an app has handled: servers send a message again until its acknowledgement arrives. An app may keep this in its own database. */
export interface SeenMessages {
  has(messageId: string): boolean | Promise<boolean>;
  /** Called after the app has handled a message, and before it is acknowledged. */
  add(messageId: string): unknown;
}

/** Remembers the last `limit` ids for as long as the process lives. */
export function memorySeenMessages(limit = 10_000): SeenMessages {
  const ids = new Set<string>();
  return {
    has: (messageId) => ids.has(messageId),
    add: (messageId) => {
      ids.add(messageId);
      for (const oldest of ids) {
        if (ids.size <= limit) {
          return;
        }
        ids.delete(oldest);
      }
    },
  };
}
