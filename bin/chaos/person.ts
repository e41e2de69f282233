import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { MethodClient } from "../../client/method-client.ts";
import { Wakeup } from "../../client/wakeup.ts";
import type { ChatServiceRpcs } from "../../proto/gen/policy/services.ts";
import { type Asked, ask } from "./asking.ts";
import { type AppRun, Device, type World } from "./device.ts";
import type { GatewayRotation } from "./gateway-rotation.ts";

/** The pause before something is tried again that came to nothing, in milliseconds. */
const AGAIN_MS = 1_000;

/** What somebody is made of. */
export interface PersonPlan {
  readonly world: World;
  readonly gateways: GatewayRotation;
  readonly devices: number;
  /** Whether their apps take messages as events; else they ask for them. */
  readonly takesEvents: boolean;
}

/** Somebody with an account, and the app that they use at the moment. An app that was left for one on another device stays open. */
export class Person implements AsyncDisposable {
  readonly accountId: string;
  readonly world: World;
  readonly #takesEvents: boolean;
  readonly #devices: readonly Device[];
  readonly #runs = new Map<Device, AppRun>();
  readonly #changed = new Wakeup();
  readonly #gone = new AbortController();
  #inUse: { readonly run: AppRun; readonly device: Device } | undefined;

  private constructor({ world, takesEvents }: PersonPlan, accountId: string, devices: readonly Device[]) {
    this.world = world;
    this.#takesEvents = takesEvents;
    this.accountId = accountId;
    this.#devices = devices;
  }

  /** Makes an account and logs in on each device. @throws Error when that does not work */
  static async logIn(plan: PersonPlan): Promise<Person> {
    const name = `chaos-${randomUUID()}`;
    const devices = Array.from({ length: plan.devices }, () => new Device(plan.world, name, plan.gateways));
    let accountId = "";
    for (const device of devices) {
      const asked = await device.logIn();
      if (asked.kind !== "answered") {
        throw new Error(`nobody can log in: ${asked.failure}`);
      }
      ({ accountId } = asked.answer);
    }
    return new Person(plan, accountId, devices);
  }

  /** Starts the app anew on the device in use, or the first, and uses it from now on. */
  open(): AppRun {
    return this.#open(this.#inUse?.device ?? (this.#devices[0] as Device));
  }

  /** Starts the app on the next device, beside the one in use. */
  openElsewhere(): AppRun {
    const index = this.#inUse === undefined ? 0 : this.#devices.indexOf(this.#inUse.device);
    return this.#open(this.#devices[(index + 1) % this.#devices.length] as Device);
  }

  /** Ends all apps. */
  async close(): Promise<void> {
    this.#inUse = undefined;
    await Promise.all([...this.#runs.keys()].map((device) => this.#end(device)));
  }

  /** Uses the app in use, or one if there is none, and no other. */
  async stay(): Promise<void> {
    const run = this.#inUse?.run ?? this.open();
    const others = [...this.#runs].filter(([, other]) => other !== run);
    await Promise.all(others.map(([device]) => this.#end(device)));
  }

  /** Makes one call with the app in use, once there is one. Undefined when the signal aborts before. */
  async call<T>(
    name: string,
    call: (chat: MethodClient<ChatServiceRpcs>) => Promise<T>,
    signal: AbortSignal,
  ): Promise<Asked<T> | undefined> {
    while (this.#inUse === undefined && !signal.aborted) {
      await this.#changed.wait(signal);
    }
    const { run } = this.#inUse ?? {};
    if (run === undefined || signal.aborted) {
      return undefined;
    }
    const asked = await ask(this.world.ledger, name, () => call(run.connection.chat));
    if (asked.kind === "open") {
      await sleep(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
    return asked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#gone.abort();
    await this.close();
  }

  #open(device: Device): AppRun {
    void this.#end(device);
    const run = device.start(this.#takesEvents);
    this.#runs.set(device, run);
    this.#inUse = { run, device };
    this.#changed.wake();
    void this.#watch(run, device);
    return run;
  }

  async #end(device: Device): Promise<void> {
    const run = this.#runs.get(device);
    this.#runs.delete(device);
    await run?.close();
  }

  /** An app whose connection ended is opened again, if it is the one in use. */
  async #watch(run: AppRun, device: Device): Promise<void> {
    const { reaction, meaning } = await run.connection.ended;
    if (reaction === "closed") {
      return;
    }
    if (reaction !== "stop") {
      this.world.ledger.logOut(this.accountId, meaning);
      await this.#logInAgain(device);
    }
    if (this.#inUse?.run === run && !this.#gone.signal.aborted) {
      this.#open(device);
    }
  }

  async #logInAgain(device: Device): Promise<void> {
    while (!this.#gone.signal.aborted && (await device.logIn()).kind !== "answered") {
      await sleep(AGAIN_MS, undefined, { signal: this.#gone.signal }).catch(() => undefined);
    }
  }
}
