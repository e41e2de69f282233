import { setTimeout as sleep } from "node:timers/promises";
import type { Layout } from "../../bin/chaos/layout.ts";
import { connectAndConfirm, logIn } from "../support/people.ts";
import { openSocketsAt } from "./open-sockets.ts";
import { describe, repeat } from "./sample.ts";

const SOCKETS = 50;
const ASK_EVERY_MS = 100;

/** From the moment that nothing passes any more between clients and their gateway, and nobody is told, to the gateway's end of each socket. */
export async function measureHalfOpen(layout: Layout): Promise<string> {
  const [url = ""] = layout.gatewayUrls;
  const [adminUrl = ""] = layout.adminUrls;
  const proxy = layout.members.find(({ name }) => name === "gateway 0")?.proxy;
  await layout.ready();
  const sockets = await repeat(SOCKETS, 10, async () => {
    const { tokens } = await logIn(url);
    return (await connectAndConfirm(url, "chat", tokens.chat.refreshToken)).socket;
  });
  const before = await openSocketsAt(adminUrl);

  await proxy?.setMode({ kind: "black-hole" });
  const since = performance.now();
  const times: number[] = [];
  while (times.length < SOCKETS) {
    await sleep(ASK_EVERY_MS);
    const gone = before - (await openSocketsAt(adminUrl));
    times.push(...Array.from({ length: gone - times.length }, () => performance.now() - since));
  }
  await proxy?.setMode({ kind: "pass" });
  for (const socket of sockets) {
    socket.cut();
  }
  return describe(times);
}
