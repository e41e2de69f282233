import type { GatewayConfig } from "../../gateway/config.ts";
import { readCertificate } from "../../gateway/tls-certificate.ts";
import { ConfigError } from "../../platform/env.ts";
import { checkInternalTls } from "../../platform/rpc/tls.ts";
import { problemsOf, type Reading } from "../problems.ts";

/** Checks the files of TLS as the roles will that start with them. @throws ConfigError naming every variable whose file is of no use. */
export async function checkCertificateFiles({ internalTls, tls }: Pick<GatewayConfig, "internalTls" | "tls">): Promise<void> {
  const readings = await Promise.all([
    checking(async () => internalTls && (await checkInternalTls(internalTls))),
    checking(async () => tls && (await readCertificate(tls))),
  ]);
  const problems = problemsOf(readings);
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
}

async function checking(check: () => Promise<unknown>): Promise<Reading<unknown>> {
  try {
    return { value: await check() };
  } catch (error) {
    if (error instanceof ConfigError) {
      return { problems: error.problems };
    }
    throw error;
  }
}
