import { AnyCopy } from "../../platform/rpc/any-copy.ts";
import type { TargetOverrides } from "../../platform/rpc/targets.ts";
import type { InternalTls } from "../../platform/rpc/tls.ts";
import { erasureService } from "../../proto/gen/policy/services.ts";

/** What the chat service does when an account is deleted. */
export interface ChatErasure {
  /** Removes what chat holds of an account. Repeating it is fine. @throws SallyportError when no copy of the chat service did. */
  erase(accountId: string): Promise<void>;
}

const ASK_MS = 2_500;

/** Asks the chat service over unary gRPC, at any copy that the targets lead to. */
export function openChatErasure(targets: readonly string[], tls?: InternalTls, overrides?: TargetOverrides): ChatErasure & Disposable {
  const copies = new AnyCopy({ service: erasureService, role: "chat", targets, tls }, overrides);
  return {
    erase: async (accountId) => {
      await copies.ask((client) => client.eraseAccount({ accountId }, { deadline: Date.now() + ASK_MS }));
    },
    [Symbol.dispose]: () => copies[Symbol.dispose](),
  };
}
