import { fileTokenStore } from "../../../client/file-token-store.ts";

// A process of its own for file-token-store.test.ts: takes the turn on a store, says so, and gives it back at the end of its input.
await fileTokenStore(process.argv[2] ?? "").exclusive(async () => {
  console.log("held");
  for await (const _ of process.stdin) {
    // Input only matters by its end.
  }
});
