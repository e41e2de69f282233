import { Disposables } from "../../platform/lifecycle.ts";
import { aborted } from "../process/aborted.ts";
import { bringUp, type StackSetup } from "./bring-up.ts";

/**
 * Runs the stack until it is told to stop (resolves to 0), or a part of it cannot start or go on (1, after a line that says why). Either way everything is
 * ended in order: gateway, chat, account, database.
 */
export async function runStack(setup: StackSetup, stop: AbortSignal): Promise<number> {
  const failure = new AbortController();
  const halted = AbortSignal.any([stop, failure.signal]);
  await using parts = new Disposables();
  try {
    const address = await bringUp(setup, { parts, halted, fail: (reason) => failure.abort(reason) });
    setup.print(`ready ${address}`);
    await aborted(halted);
  } catch (error) {
    failure.abort(error);
  }

  // The first cause counts: what follows a death or a stop, such as a start that was given up, is no news.
  if (halted.reason === stop.reason) {
    return 0;
  }
  setup.warn(`sallyport: ${halted.reason instanceof Error ? halted.reason.message : String(halted.reason)}`);
  return 1;
}
