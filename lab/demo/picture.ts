/**
 * What the demo leaves on a terminal as a picture for the README: reads it from standard input, writes SVG to standard output.
 *
 *     script -qec "stty cols 150; ONCE=1 make demo" /dev/null | grep -v "^image:\|^talos stand-in:" | node lab/demo/picture.ts > docs/demo.svg
 */
import { text } from "node:stream/consumers";

const LINE = 18;
const COLUMN = 7.83;
const MARGIN = 16;

/** Select Graphic Rendition (ECMA-48 §8.3.117), as far as `styleText` writes it: a class that is on, or those that go off. */
const ON: Readonly<Record<string, string>> = { 1: "b", 2: "d", 31: "r", 32: "g", 36: "c" };
const OFF: Readonly<Record<string, readonly string[]>> = { 22: ["b", "d"], 39: ["r", "g", "c"], 0: ["b", "d", "r", "g", "c"] };

interface Piece {
  readonly classes: string;
  readonly text: string;
}

/** The lines that are left when everything has been written; the demo's screen only ever goes up to erase what is below. */
function remaining(output: string): string[] {
  const lines: string[] = [];
  for (const line of output.replaceAll("\r", "").split("\n")) {
    // oxlint-disable-next-line no-control-regex -- the sequence that takes lines back
    const up = /\x1b\[(\d+)A(?:\x1b\[J)?/.exec(line);
    if (up !== null) lines.length -= Number(up[1]);
    lines.push(up === null ? line : line.slice(up.index + up[0].length));
  }
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function piecesOf(line: string): Piece[] {
  const classes = new Set<string>();
  // oxlint-disable-next-line no-control-regex -- colours are what it is about
  return line.split(/(\x1b\[[\d;]*m)/).flatMap((part) => {
    const code = part.startsWith("\x1b[") ? part.slice(2, -1) : undefined;
    if (code === undefined) return part === "" ? [] : [{ classes: [...classes].join(" "), text: part }];
    for (const name of OFF[code] ?? []) classes.delete(name);
    if (ON[code] !== undefined) classes.add(ON[code]);
    return [];
  });
}

function escape(raw: string): string {
  return raw.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}

function draw(lines: readonly string[]): string {
  const rows = lines.map(piecesOf);
  const columns = Math.max(...rows.map((pieces) => pieces.reduce((sum, piece) => sum + piece.text.length, 0)));
  const width = Math.ceil(columns * COLUMN) + 2 * MARGIN;
  const height = lines.length * LINE + 2 * MARGIN;
  const texts = rows.map((pieces, row) => {
    const spans = pieces.map(({ classes, text: raw }) => `<tspan${classes && ` class="${classes}"`}>${escape(raw)}</tspan>`);
    return `<text xml:space="preserve" x="${MARGIN}" y="${MARGIN + 13 + row * LINE}">${spans.join("")}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13">
<style>text { fill: #e2e8f0; } .b { font-weight: 700; } .d { fill: #94a3b8; } .r { fill: #f87171; } .g { fill: #4ade80; } .c { fill: #67e8f9; }</style>
<rect width="${width}" height="${height}" rx="10" fill="#0f172a"/>
${texts.join("\n")}
</svg>`;
}

console.log(draw(remaining(await text(process.stdin))));
