import { SallyportError } from "../../../platform/errors.ts";

/** The error that a call is refused with. */
export async function refusalOf(call: Promise<unknown>): Promise<SallyportError> {
  const outcome = await call.then(
    () => "it was answered",
    (error: unknown) => error,
  );
  if (outcome instanceof SallyportError) {
    return outcome;
  }
  throw new Error("the call was not refused", { cause: outcome });
}
