import { type GatewayConfig, gatewayConfig, gatewayVariables } from "../gateway/config.ts";
import { ConfigError, type Env, type Variables } from "../platform/env.ts";
import { accountConfig, accountVariables } from "../services/account/config.ts";
import { chatConfig, chatVariables } from "../services/chat/config.ts";
import { checkAcrossRoles, childEnvironment, derivedVariables } from "./launcher/child-environment.ts";
import { type LauncherConfig, launcherConfig, launcherVariables } from "./launcher/config.ts";
import { problemsOf, reading } from "./problems.ts";

/** The tables of all variables, the launcher's first: of a name that is in several, the first says what it means. */
export const variableTables: readonly Variables[] = [launcherVariables, gatewayVariables, accountVariables, chatVariables];

/** The configuration of a whole stack, as far as the launcher needs it. */
export interface StackConfig {
  readonly launcher: LauncherConfig;
  readonly gateway: GatewayConfig;
}

/** Stands for what is known only when the database runs and the directories are made; it is never reached. */
const PLACEHOLDER = { databaseUri: "mongodb://127.0.0.1/sallyport?replicaSet=sallyport", socketDirectory: "/run" };
const NOWHERE: LauncherConfig = { dataDirectory: "/", keysDirectory: "/", mongodbUri: undefined };

/**
 * Reads the configuration of every role as the launcher's children would.
 * @throws ConfigError naming every wrong variable of all roles.
 */
export function stackConfig(env: Env): StackConfig {
  const launcher = reading(() => launcherConfig(env));
  const place = "value" in launcher ? launcher.value : NOWHERE;
  const children = childEnvironment(env, place, { ...PLACEHOLDER, databaseUri: place.mongodbUri ?? PLACEHOLDER.databaseUri });

  const gateway = reading(() => gatewayConfig(children));
  const account = reading(() => accountConfig(children));
  const chat = reading(() => chatConfig(children));
  const across = reading(() => checkAcrossRoles(env));
  if ("value" in launcher && "value" in gateway && "value" in account && "value" in chat && "value" in across) {
    return { launcher: launcher.value, gateway: gateway.value };
  }
  throw new ConfigError(problemsOf([launcher, gateway, account, chat, across], derivedVariables(env)));
}
