import { Channel } from "../../platform/rpc/channel.ts";
import { createClient } from "../../platform/rpc/client.ts";
import type { InternalTls } from "../../platform/rpc/tls.ts";
import { erasureService } from "../../proto/gen/policy/services.ts";

/** What the chat service does when an account is deleted. */
export interface ChatErasure {
  /** Removes what chat holds of an account. Repeating it is fine. @throws SallyportError when no copy of the chat service did. */
  erase(accountId: string): Promise<void>;
}

const ASK_MS = 2_500;

/** Asks the chat service over unary gRPC, at any of its targets (`host:port` or `unix:<path>`). */
export function openChatErasure(targets: readonly string[], tls?: InternalTls): ChatErasure & Disposable {
  const channels = targets.map((target) => new Channel(target, tls?.to("chat")));
  const clients = channels.map((channel) => createClient(erasureService, channel));
  let first = 0;

  return {
    erase: async (accountId) => {
      const turns = [...clients.slice(first), ...clients.slice(0, first)];
      let failure: unknown;
      for (const client of turns) {
        try {
          await client.eraseAccount({ accountId }, { deadline: Date.now() + ASK_MS });
          return;
        } catch (error) {
          failure = error;
          // A copy that hangs must not be asked first again.
          first = (first + 1) % clients.length;
        }
      }
      throw failure;
    },
    [Symbol.dispose]: () => {
      for (const channel of channels) {
        channel[Symbol.dispose]();
      }
    },
  };
}
