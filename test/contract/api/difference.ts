/** Where two transcripts differ, and which differences are known and explained. */
import { isDeepStrictEqual } from "node:util";

export interface Difference {
  /** `2.body.details.causes.0.message`: number of the exchange, then the way into it. */
  readonly path: string;
  readonly ours: unknown;
  readonly genuine: unknown;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Leaf by leaf, in order of keys; [] when equal. */
export function differences(ours: unknown, genuine: unknown, path = ""): Difference[] {
  if (isDeepStrictEqual(ours, genuine)) return [];
  if (!isContainer(ours) || !isContainer(genuine) || Array.isArray(ours) !== Array.isArray(genuine))
    return [{ path, ours, genuine }];
  const keys = new Set([...Object.keys(genuine), ...Object.keys(ours)]);
  return [...keys].flatMap((key) => differences(ours[key], genuine[key], path === "" ? key : `${path}.${key}`));
}

export interface Known {
  /** The case's name; `*` in it stands for anything. */
  readonly case: string;
  /** The difference's path; `*` stands for anything. */
  readonly path: string;
  readonly reason: string;
}

/** The rows of DIFFERENCES.md: `| case | path | reason |`, with case and path in backquotes. */
export function readKnown(markdown: string): Known[] {
  return [...markdown.matchAll(/^\|\s*`([^`]+)`\s*\|\s*`([^`]+)`\s*\|\s*(.+?)\s*\|$/gm)].map(([, name, path, reason]) => {
    return { case: name!, path: path!, reason: reason! };
  });
}

function matches(pattern: string, text: string): boolean {
  return new RegExp(`^${pattern.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`, "s").test(text);
}

export function explains(known: Known, name: string, difference: Difference): boolean {
  return matches(known.case, name) && matches(known.path, difference.path);
}

export function print({ path, ours, genuine }: Difference): string {
  return `${path}\n    ours:    ${JSON.stringify(ours)}\n    genuine: ${JSON.stringify(genuine)}`;
}
