import { SallyportError, unavailable } from "../../platform/errors.ts";

/** The database could not be asked, or did not say what came of it. */
export const OUTAGE: SallyportError = unavailable("the database cannot be asked", "DATABASE_UNAVAILABLE");
/** The stream that a call went by has ended, or there is none. */
export const STREAM_ENDED: SallyportError = unavailable("the stream has ended", "RELAY_ENDED");
/** The attachment was lost with the stream that brought it. */
export const ATTACHMENT_LOST: SallyportError = unavailable("the attachment was lost", "ATTACHMENT_LOST");
/** The gateway has left. */
export const GATEWAY_LEFT: SallyportError = unavailable("the gateway's stream has ended", "GATEWAY_LEFT");
/** The deadline of a call has passed. */
export const TOO_LATE: SallyportError = new SallyportError("DEADLINE_EXCEEDED", "the deadline has passed", { reason: "DEADLINE_EXCEEDED" });
/** A judgement took too long. */
export const JUDGED_TOO_LATE: SallyportError = unavailable("the judgement took too long", "JUDGEMENT_TOO_LATE");
/** A token was retired a moment ago. */
export const JUST_RETIRED: SallyportError = unavailable("the refresh token was retired a moment ago", "REFRESH_TOKEN_JUST_RETIRED");
/** A token is refused for good. */
export const TOKEN_REFUSED: SallyportError = new SallyportError("UNAUTHENTICATED", "the refresh token is not valid", {
  reason: "REFRESH_TOKEN_REFUSED",
});
/** No such attachment. */
export const ATTACHMENT_UNKNOWN: SallyportError = new SallyportError("FAILED_PRECONDITION", "no such attachment", {
  reason: "ATTACHMENT_UNKNOWN",
});
/** An older socket was attached again meanwhile. */
export const EPOCH_OVERTAKEN: SallyportError = new SallyportError("FAILED_PRECONDITION", "an older socket was attached again meanwhile", {
  reason: "EPOCH_OVERTAKEN",
});
/** The recipient is unknown, or blocked the sender. */
export const NO_RECIPIENT: SallyportError = new SallyportError("NOT_FOUND", "there is no such recipient", {
  reason: "RECIPIENT_NOT_FOUND",
});
/** The recipient's inbox is full. */
export const INBOX_FULL: SallyportError = new SallyportError("RESOURCE_EXHAUSTED", "the recipient's inbox is full", {
  reason: "INBOX_FULL",
});
/** The id of a message is another one's. */
export const ID_REUSED: SallyportError = new SallyportError("ALREADY_EXISTS", "the client message id was used for another message", {
  reason: "CLIENT_MESSAGE_ID_REUSED",
});
