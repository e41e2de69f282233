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
    name: "keys init",
    flags: [],
    summary: "make the keys that are missing",
    load: async () => (await import("./commands/keys-init.ts")).keysInit,
  },
  {
    name: "keys rotate",
    flags: [],
    summary: "make new keys active; the old ones go on verifying and reading",
    load: async () => (await import("./commands/keys-rotate.ts")).keysRotate,
  },
  {
    name: "demo",
    flags: ["--url="],
    summary: "two people, step by step: against the stack at --url=<address>, or one of its own",
    load: async () => (await import("./commands/demo.ts")).demo,
  },
  {
    name: "help",
    flags: [],
    summary: "this list",
    load: async () => (await import("./commands/help.ts")).help,
  },
];
