import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { freePorts, type Stack } from "./stack.ts";

/** A gateway process besides the one of a stack. */
export interface GatewayProcess extends Pick<Stack, "httpUrl" | "adminUrl" | "operatorToken" | "log">, AsyncDisposable {
  readonly child: ChildProcess;
  /** Resolves to the exit code. */
  readonly ended: Promise<number | null>;
}

const ENTRY = resolve(import.meta.dirname, "../../dist/bin/sallyport.js");

/** Starts one more gateway before the services of a stack, which shares its operator token; resolves at its ready line, rejects with what it logged. */
export async function startGatewayBeside(stack: Stack, env: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
  const [port, adminPort] = await freePorts(2);
  const child = spawn(process.execPath, [ENTRY, "gateway"], {
    env: {
      PATH: process.env["PATH"],
      GATEWAY_PORT: `${port}`,
      GATEWAY_ADMIN_PORT: `${adminPort}`,
      GATEWAY_OPERATOR_TOKEN_FILE: join(stack.dataDirectory, "operator-token"),
      GATEWAY_DRAIN_MS: "0",
      SALLYPORT_LIMITS: "off",
      ACCOUNT_TARGETS: stack.accountTarget,
      CHAT_TARGETS: stack.chatTarget,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const ended = once(child, "close").then(([code]) => code as number | null);
  await Promise.race([once(createInterface({ input: child.stdout }), "line"), ended.then(() => Promise.reject(new Error(log)))]);
  return {
    httpUrl: `http://127.0.0.1:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    operatorToken: stack.operatorToken,
    log: () => log,
    child,
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
