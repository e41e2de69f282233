import type { Db } from "mongodb";

/** What comes before and after an operation: it runs when `go` is called. */
export type Hook = (go: () => Promise<unknown>) => Promise<unknown>;

/** A database whose operations named `<collection>.<method>` pass their hooks first; hooks may be set and taken away at any time. */
export function interceptedDb(db: Db, hooks: Map<string, Hook>): Db {
  const collection = (name: string): unknown => wrap(db.collection(name), (method) => hooks.get(`${name}.${method}`));
  return new Proxy(db, {
    get: (target, key) => (key === "collection" ? collection : bound(target, key)),
  });
}

/** Something that others wait for. */
export class Gate {
  readonly opened: Promise<void>;
  #open: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#open();
  }
}

/** A hook that says when its operation is reached and holds it until it is let go on. */
export class Pause {
  readonly reached: Gate = new Gate();
  readonly ended: Gate = new Gate();
  readonly hook: Hook = async (go) => {
    this.reached.open();
    await this.ended.opened;
    return go();
  };
}

function wrap(collection: object, hookOf: (method: string) => Hook | undefined): unknown {
  return new Proxy(collection, {
    get: (target, key) => {
      const value = bound(target, key);
      const hook = typeof key === "string" ? hookOf(key) : undefined;
      const operation = value as (...parameters: unknown[]) => Promise<unknown>;
      return hook === undefined ? value : (...parameters: unknown[]) => hook(() => operation(...parameters));
    },
  });
}

function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === "function" ? value.bind(target) : value;
}
