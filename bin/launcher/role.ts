/** The processes of ours that make up the stack. */
export type Role = "account" | "chat" | "gateway";
