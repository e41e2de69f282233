import type { Exit } from "./spawn-process.ts";

/** One process of the stack, up and running. Disposing of it ends the process and waits for that. */
export interface Part extends AsyncDisposable {
  readonly address: string;
  /** Resolves when the process is gone. */
  readonly ended: Promise<Exit>;
}
