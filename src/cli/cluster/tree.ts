/** A tree of objects as people read it: what each is, how it is, what it waits for. */
import type { Style } from "../boot-text.ts";

export interface Branch {
  /** `Machine demo-cp-x7k2p`. */
  readonly title: string;
  readonly state: "good" | "waiting" | "bad";
  readonly text: string;
  /** Lines below it: what it waits for, and what can be done. */
  readonly notes?: readonly string[];
  readonly children?: readonly Branch[];
}

const COLOURS = { good: "green", waiting: "yellow", bad: "red" } as const;
const MARKS = { good: "✓", waiting: "…", bad: "✗" } as const;
/** Widest title that others are aligned to. */
const WIDEST = 60;

export function treeLines(root: Branch, style: Style): string[] {
  const rows = rowsOf(root, "", "");
  const width = Math.min(WIDEST, Math.max(...rows.map(({ head }) => head.length)));
  return rows.flatMap(({ head, below, branch }) => {
    const mark = style(COLOURS[branch.state], `${MARKS[branch.state]} ${branch.text}`);
    const colour = branch.state === "bad" ? "red" : "dim";
    return [
      `${head.padEnd(width)}  ${mark}`,
      ...(branch.notes ?? []).map((note) => `${below.padEnd(width)}    ${style(colour, note)}`),
    ];
  });
}

interface Row {
  readonly head: string;
  /** What stands before the notes. */
  readonly below: string;
  readonly branch: Branch;
}

function rowsOf(branch: Branch, lead: string, below: string): Row[] {
  const { children = [] } = branch;
  const stem = children.length > 0 ? `${below}│` : below;
  return [
    { head: lead + branch.title, below: stem, branch },
    ...children.flatMap((child, i) => {
      const isLast = i === children.length - 1;
      return rowsOf(child, `${below}${isLast ? "└─ " : "├─ "}`, `${below}${isLast ? "   " : "│  "}`);
    }),
  ];
}
