import { randomUUID } from "node:crypto";
import type { Layout } from "../../bin/chaos/layout.ts";
import { connect, connectAndConfirm, logIn } from "../support/people.ts";
import { describe, repeat } from "./sample.ts";

const ROUNDS = 400;
const AT_ONCE = 4;

/** From a newer socket's last token at one gateway to `displaced` at the older one, which is at another gateway. */
export async function measureDisplacement({ gatewayUrls: [here = "", there = ""] }: Layout): Promise<string> {
  const times = await repeat(ROUNDS, AT_ONCE, async () => {
    const name = `displaced-${randomUUID()}`;
    const [older, newer] = [await logIn(here, name), await logIn(there, name)];
    const first = await connectAndConfirm(here, "chat", older.tokens.chat.refreshToken);
    await eventNamed("queueEmpty", first.socket);

    const second = await connect(there, "chat", newer.tokens.chat.refreshToken);
    const since = performance.now();
    await eventNamed("displaced", first.socket);
    const took = performance.now() - since;

    first.socket.cut();
    second.socket.cut();
    return took;
  });
  return describe(times);
}

async function eventNamed(name: string, socket: Awaited<ReturnType<typeof connect>>["socket"]): Promise<void> {
  while (!(name in (await socket.event()))) {
    // Another one.
  }
}
