import { type Answer, call } from "./people.ts";
import type { Stack } from "./stack.ts";

/** Where operators call, and what they show. */
export type OperatorDoor = Pick<Stack, "adminUrl" | "operatorToken">;

/** Calls a method for operators with JSON, as "AdminService/FindAccount" or "ModerationService/ListReports". */
export async function operate({ adminUrl, operatorToken }: OperatorDoor, method: string, request: unknown): Promise<Answer> {
  const owner = method.startsWith("AdminService") ? "account" : "chat";
  return await call(adminUrl, `sallyport.${owner}.v1.${method}`, request, await operatorToken());
}
