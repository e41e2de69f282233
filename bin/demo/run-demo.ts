import { Disposables } from "../../platform/lifecycle.ts";
import { actCalls, actConnect, actLogin, actOffline, actOnline, actReports, actReturn, type Stage, sayCounts } from "./acts.ts";
import { viewDatabase } from "./database-view.ts";

/** Where the demo plays. */
export interface DemoSetup {
  /** The gateway's HTTP address. */
  readonly url: string;
  /** The stack's database; undefined: no look into it. */
  readonly mongodbUri: string | undefined;
  readonly print: (line: string) => void;
}

/** Plays two people against a running stack, and prints each step as it happens. @throws what a step failed with */
export async function runDemo({ url, mongodbUri, print }: DemoSetup): Promise<void> {
  await using owned = new Disposables();
  const database = mongodbUri === undefined ? undefined : owned.use(viewDatabase(mongodbUri));
  let acts = 0;
  const heading = (line: string): void => {
    acts += 1;
    print(`${acts}. ${line}`);
  };
  const stage: Stage = { url, heading, say: (line) => print(`   ${line}`), database };

  stage.heading("two people log in");
  const alice = await actLogin(stage, "alice");
  const bob = await actLogin(stage, "bob");
  await sayCounts(stage);

  stage.heading("both connect: a token is good for one exchange, whose successor the server keeps ready until it is confirmed");
  const alices = owned.use(await actConnect(stage, alice, ["account", "chat"]));
  const bobs = owned.use(await actConnect(stage, bob, ["chat"]));

  stage.heading("calls go either way");
  await actCalls(stage, alice, alices);

  stage.heading("a message to somebody who is there");
  await actOnline(stage, alices, bob, bobs);
  await sayCounts(stage);

  stage.heading("a message to somebody who is away");
  await bobs.close();
  const waiting = await actOffline(stage, alices, bob);
  await sayCounts(stage);

  stage.heading("who comes back gets it, and the server forgets it");
  const bobsAgain = owned.use(await actConnect(stage, bob, ["chat"]));
  const message = await actReturn(stage, alices, bobsAgain, waiting);
  await sayCounts(stage);

  stage.heading("what was said can be reported, and nothing else");
  await actReports(stage, bob, bobsAgain, message);
  await sayCounts(stage);
}
