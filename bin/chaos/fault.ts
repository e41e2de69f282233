import type { MemberKind } from "./member.ts";
import type { Direction, ProxyMode } from "./proxy-mode.ts";

/** Something that goes wrong with one process, or with the connections to it; those with a duration end by themselves. Times in milliseconds. */
export type Fault =
  | { readonly kind: "kill" | "cut" | "step-down" }
  | { readonly kind: "pause" | "black-hole" | "refuse" | "read-only" | "full-disk"; readonly durationMs: number }
  | { readonly kind: "delay"; readonly durationMs: number; readonly delayMs: number }
  | { readonly kind: "half"; readonly durationMs: number; readonly swallowed: Direction };

/** The names of the faults. */
export type FaultKind = Fault["kind"];

/** Whom a fault hits: a process by its number, or whichever server of the database is the primary by then. */
export type Target = { readonly kind: MemberKind; readonly index: number } | { readonly kind: "primary" };

/** What a kind of fault can hit. */
export type TargetKind = Target["kind"];

const EVERY_KIND: readonly TargetKind[] = ["gateway", "chat", "account", "mongod", "primary"];

/** Every kind of fault, and what it can hit. */
export const FAULT_TARGETS: Readonly<Record<FaultKind, readonly TargetKind[]>> = {
  kill: EVERY_KIND,
  pause: EVERY_KIND,
  delay: EVERY_KIND,
  cut: EVERY_KIND,
  "black-hole": EVERY_KIND,
  half: EVERY_KIND,
  refuse: EVERY_KIND,
  "step-down": ["primary"],
  "read-only": ["primary"],
  "full-disk": ["mongod", "primary"],
};

/** How long a fault lasts, in milliseconds; 0: it is over at once. */
export function durationOf(fault: Fault): number {
  return "durationMs" in fault ? fault.durationMs : 0;
}

/** What a fault's name does not say: how long, and how. */
export function detailsOf(fault: Fault): readonly string[] {
  switch (fault.kind) {
    case "kill":
    case "cut":
    case "step-down":
      return [];
    case "delay":
      return [String(fault.durationMs), String(fault.delayMs)];
    case "half":
      return [String(fault.durationMs), fault.swallowed];
    case "pause":
    case "black-hole":
    case "refuse":
    case "read-only":
    case "full-disk":
      return [String(fault.durationMs)];
  }
}

/** The words for a target, as `chat 1`. */
export function wordsOf(target: Target): readonly string[] {
  return target.kind === "primary" ? [target.kind] : [target.kind, String(target.index)];
}

/** The kind of process that a target is of. */
export function laneOf({ kind }: Target): MemberKind {
  return kind === "primary" ? "mongod" : kind;
}

/** The mode of a proxy that makes a fault, of those that are faults of connections. */
export function proxyModeOf(fault: Fault): ProxyMode | undefined {
  switch (fault.kind) {
    case "delay":
      return { kind: "delay", delayMs: fault.delayMs };
    case "half":
      return { kind: "half", swallowed: fault.swallowed };
    case "black-hole":
    case "refuse":
      return { kind: fault.kind };
    case "cut":
    case "kill":
    case "pause":
    case "step-down":
    case "read-only":
    case "full-disk":
      return undefined;
  }
}
