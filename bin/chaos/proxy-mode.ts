/**
 * What a proxy does to the connections through it: lets them pass; holds up every byte for so many milliseconds; accepts, swallows all and answers nothing;
 * swallows what goes to the server ("up") or comes from it ("down") and passes the rest; or has nobody listen.
 */
export type ProxyMode =
  | { readonly kind: "pass" }
  | { readonly kind: "delay"; readonly delayMs: number }
  | { readonly kind: "black-hole" }
  | { readonly kind: "half"; readonly swallowed: Direction }
  | { readonly kind: "refuse" };

/** To the server, or from it. */
export type Direction = "up" | "down";

/** Whether what goes one way is swallowed. */
export function isSwallowed(mode: ProxyMode, direction: Direction): boolean {
  return mode.kind === "black-hole" || (mode.kind === "half" && mode.swallowed === direction);
}
