import type { Run } from "../command.ts";
import { runRole } from "../run-role.ts";

/** Runs one chat process until it is told to stop. */
export const chat: Run = async (context) => {
  const { chatConfig } = await import("../../services/chat/config.ts");
  const { startChat } = await import("../../services/chat/server.ts");

  const config = chatConfig(context.env);
  return runRole("chat", (logger, metrics) => startChat(config, logger, { metrics }), context);
};
