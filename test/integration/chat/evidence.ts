import { newUuid } from "../../../platform/ids.ts";
import type { Message } from "../../../proto/gen/sallyport/chat/v1/chat.ts";
import { as, type FakeGateway } from "./fake-gateway.ts";

/** A message with what proves it. */
export interface Proved {
  readonly receipt: string;
  readonly body: Uint8Array;
}

/** Sends messages; answers all that waits for the recipient. */
export async function converse(gateway: FakeGateway, from: string, to: string, bodies: readonly string[]): Promise<Message[]> {
  for (const body of bodies) {
    await gateway.send(from, to, newUuid(), body);
  }
  return (await gateway.chat.listPending({ pageSize: 0 }, as(to))).messages;
}

/** Messages as they are reported. */
export function evidence(messages: readonly Message[]): Proved[] {
  return messages.map(({ receipt, body }) => ({ receipt, body }));
}

/** So many reports of one account's messages that may be filed, each of another message. */
export async function reportable(gateway: FakeGateway, from: string, to: string, count: number): Promise<Proved[][]> {
  const bodies = Array.from({ length: count }, (_, index) => `unwanted ${index}`);
  return evidence(await converse(gateway, from, to, bodies)).map((one) => [one]);
}
