import { BENCH_FLAGS } from "./bench/flags.ts";
import { CHAOS_FLAGS } from "./chaos/plan.ts";
import type { Command } from "./command.ts";

/** Every command, in the order in which `help` lists them. */
export const commandTable: readonly Command[] = [
  {
    name: "start",
    flags: ["--supervise"],
    summary: "the whole stack on this machine: database, account, chat, gateway; --supervise restarts what dies",
    load: async () => (await import("./commands/start.ts")).start,
  },
  {
    name: "gateway",
    flags: [],
    summary: "one gateway",
    load: async () => (await import("./commands/gateway.ts")).gateway,
  },
  {
    name: "account",
    flags: [],
    summary: "one copy of the account service",
    load: async () => (await import("./commands/account.ts")).account,
  },
  {
    name: "chat",
    flags: [],
    summary: "one copy of the chat service",
    load: async () => (await import("./commands/chat.ts")).chat,
  },
  {
    name: "config",
    flags: ["--env"],
    summary: "every variable with its default and meaning, the values in force checked; --env prints them as .env.example",
    load: async () => (await import("./commands/config.ts")).config,
  },
  {
    name: "database prepare",
    flags: [],
    summary: "make collections, indexes and shards in the database of MONGODB_URI, and bring older data up to date; may be repeated",
    load: async () => (await import("./commands/database-prepare.ts")).databasePrepare,
  },
  {
    name: "keys init",
    flags: [],
    summary: "make the keys that are missing",
    load: async () => (await import("./commands/keys-init.ts")).keysInit,
  },
  {
    name: "keys rotate",
    flags: ["--publish", "--activate", "--kind=", "--wait-ms="],
    summary: "publish new keys, wait until every copy has read them (5000 ms), make them active; or only one of the steps",
    load: async () => (await import("./commands/keys-rotate.ts")).keysRotate,
  },
  {
    name: "keys list",
    flags: ["--kind="],
    summary: "every key: what it is for, whether it is published, active or retired, until when it is needed",
    load: async () => (await import("./commands/keys-list.ts")).keysList,
  },
  {
    name: "demo",
    flags: ["--url="],
    summary: "two people, step by step: against the stack at --url=<address>, or one of its own",
    load: async () => (await import("./commands/demo.ts")).demo,
  },
  {
    name: "verify",
    flags: ["--check"],
    summary: "check the ledger of messages against the inboxes while traffic flows, repair what a crash left half done; --check only looks",
    load: async () => (await import("./commands/verify.ts")).verify,
  },
  {
    name: "chaos",
    flags: CHAOS_FLAGS,
    summary:
      "kill, pause and cut off the processes of a system of its own (or of the one at --urls=) while people write, and see that nothing is lost",
    load: async () => (await import("./commands/chaos.ts")).chaos,
  },
  {
    name: "bench",
    flags: BENCH_FLAGS,
    summary: "measure the paths of the system, each beside the least that it could cost",
    load: async () => (await import("./commands/bench.ts")).bench,
  },
  {
    name: "help",
    flags: [],
    summary: "this list",
    load: async () => (await import("./commands/help.ts")).help,
  },
];
