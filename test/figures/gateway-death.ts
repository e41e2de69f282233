import { setTimeout as sleep } from "node:timers/promises";
import type { Layout } from "../../bin/chaos/layout.ts";
import { call, connectAndConfirm, logIn } from "../support/people.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { describe } from "./sample.ts";

const DEATHS = 5;
const ASK_EVERY_MS = 50;
const GET_ACCOUNT = "sallyport.account.v1.AccountService/GetAccount";

/** From the kill -9 of a gateway to the refusal of its access tokens at another one, and to the client's new socket there. */
export async function measureGatewayDeath(layout: Layout): Promise<string> {
  const { gatewayUrls, members } = layout;
  const [here = "", there = ""] = gatewayUrls;
  const refused: number[] = [];
  const back: number[] = [];
  for (let death = 0; death < DEATHS; death += 1) {
    await layout.ready();
    const person = await logIn(here);
    const held = await connectAndConfirm(here, "account", person.tokens.account.refreshToken);
    const chat = await connectAndConfirm(here, "chat", person.tokens.chat.refreshToken);
    const pid = members.find(({ name }) => name === "gateway 0")?.pid() ?? Number.NaN;

    process.kill(pid, "SIGKILL");
    const since = performance.now();
    await using again = await RawSocket.open(there, "/connect/chat");
    again.send(chat.refreshToken);
    while (!("text" in (await again.next()))) {
      // The tokens; the event after them shows that the socket has the account's events.
    }
    back.push(performance.now() - since);
    while ((await call(there, GET_ACCOUNT, {}, held.accessToken)).status !== 401) {
      await sleep(ASK_EVERY_MS);
    }
    refused.push(performance.now() - since);
  }
  return `access tokens refused after: ${describe(refused)}; the account's events at another gateway after: ${describe(back)}`;
}
