import { randomUUID } from "node:crypto";

/** Somebody with an account, and the refresh token of the chat service that they hold at the moment. */
export interface LoadPerson {
  readonly accountId: string;
  refreshToken: Buffer;
}

const AT_ONCE = 16;
const RUN = randomUUID();
const known: LoadPerson[] = [];

/** The first so many people of this process; those that are new are logged in by HTTP. */
export async function people(port: number, count: number): Promise<readonly LoadPerson[]> {
  const missing = Array.from({ length: Math.max(0, count - known.length) }, (_, index) => `bench-${RUN}-${known.length + index}`);
  const lane = async (): Promise<void> => {
    for (let name = missing.pop(); name !== undefined; name = missing.pop()) {
      known.push(await logIn(port, name));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return known.slice(0, count);
}

async function logIn(port: number, name: string): Promise<LoadPerson> {
  const response = await fetch(`http://127.0.0.1:${port}/sallyport.account.v1.AccountService/Login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ dev: { name } }),
  });
  if (!response.ok) {
    throw new Error(`a login was answered ${response.status}`);
  }
  const { accountId, tokens } = (await response.json()) as { accountId: string; tokens: { chat: { refreshToken: string } } };
  return { accountId, refreshToken: Buffer.from(tokens.chat.refreshToken, "base64") };
}
