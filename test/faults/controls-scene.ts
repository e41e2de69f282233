import { setMaxListeners } from "node:events";
import { askAfter } from "../../bin/chaos/correspondence.ts";
import type { World } from "../../bin/chaos/device.ts";
import { GatewayRotation } from "../../bin/chaos/gateway-rotation.ts";
import { Ledger } from "../../bin/chaos/ledger.ts";
import { Person } from "../../bin/chaos/person.ts";
import type { Verdict } from "../../bin/chaos/verdict.ts";
import { nodeSurroundings } from "../../client/node.ts";
import type { Surroundings } from "../../client/surroundings.ts";
import { type Build, buildMutated, type Mutation } from "../support/mutated-build.ts";
import { type Stack, type StackOptions, startStack } from "../support/stack.ts";

/** A signal that never aborts. */
export const NEVER: AbortSignal = neverAborting();

/** One control: the harness must see what happens without a defence, and nothing with it. */
export interface Control {
  readonly build: string;
  readonly mutations: readonly Mutation[];
}

/** The world of one script's people, and the ledger of what they see. */
export function newWorld(goneAfterMs?: number): World {
  let connections = 0;
  return {
    ledger: new Ledger(goneAfterMs),
    surroundings: nodeSurroundings(),
    nextConnection: () => {
      connections += 1;
      return connections;
    },
  };
}

/** Somebody new with one device, whose app takes events, on surroundings of their own where given. */
export function newPerson(world: World, httpUrl: string, surroundings: Surroundings = world.surroundings): Promise<Person> {
  const gateways = new GatewayRotation([httpUrl], 0);
  return Person.logIn({ world: { ...world, surroundings }, gateways, devices: 1, takesEvents: true });
}

/** Starts a stack on the compiled code without some of its defences. */
export async function startMutated(mutations: readonly Mutation[], options: StackOptions = {}): Promise<Stack> {
  const build: Build | undefined = mutations.length === 0 ? undefined : await buildMutated(mutations);
  const stack = await startStack({ ...options, ...(build && { entry: build.entry }) });
  return {
    ...stack,
    [Symbol.asyncDispose]: async () => {
      await stack[Symbol.asyncDispose]();
      await build?.[Symbol.asyncDispose]();
    },
  };
}

/** A fresh app for the recipient, which is given all that waits; then the senders ask what has become of their messages, and the ledger judges. */
export async function judge({ ledger }: World, recipient: Person, sender: Person): Promise<Verdict> {
  await recipient.close();
  await recipient.open().queueEmpty(NEVER);
  const sent = ledger.unsettled(new Set()).map(({ clientMessageId }) => clientMessageId);
  await askAfter(sender, sent, NEVER);
  return ledger.verdict(new Set());
}

function neverAborting(): AbortSignal {
  const { signal } = new AbortController();
  // A whole script listens to it.
  setMaxListeners(0, signal);
  return signal;
}
