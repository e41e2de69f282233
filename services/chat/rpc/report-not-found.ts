import { SallyportError } from "../../../platform/errors.ts";

/** What a moderator asks for is no report. */
export function reportNotFound(): SallyportError {
  return new SallyportError("NOT_FOUND", "there is no such report", { reason: "REPORT_NOT_FOUND" });
}
