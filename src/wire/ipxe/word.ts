/**
 * Text in a script. iPXE (src/core/exec.c) cuts a line at white space, looks for the words `&&`, `||`, `;` and for words that begin with `#`,
 * and only then expands `${…}`. There are no quotes and no escapes; but `${}` is the setting without a name, which nothing has: it expands to
 * nothing, and a word with it is none of those above.
 */
import { Fault } from "#std/fault.ts";
import type { Setting, Text } from "./script.ts";

const NOTHING = "${}";
const SEPARATORS: ReadonlySet<string> = new Set(["&&", "||", ";"]);
/** Another setting may stand in its name: `net${idx}/mac`. */
const SETTING = /^[A-Za-z0-9](?:[A-Za-z0-9._/:-]|\$\{[A-Za-z0-9]{1,16}\}){0,63}$/;
/** What is shown of a text on a console. */
const LINE_LIMIT = 240;

/** Text that expands to exactly this, as one word. Throws a `caller` Fault `ipxe.text` if no word does. */
export function word(text: Text): string {
  const words = split(text);
  if (words.length > 1) throw refusal(text, "a word has no space");
  return one(words[0] ?? []);
}

/** Words that iPXE joins to exactly this text, with single spaces between them; none for no text. */
export function words(text: Text): string[] {
  return text === "" ? [] : split(text).map(one);
}

/** Words for a setting's value: iPXE expands the value once more wherever it is used. */
export function valueWords(text: Text): string[] {
  const literals = typeof text === "string" ? [text] : text.filter((part) => typeof part === "string");
  if (isExpanded(literals.join(""))) throw refusal(text, "iPXE would expand it where the setting is used");
  return words(text);
}

/** Words for a command that would take one that begins with `-` for an option. */
export function operands(all: readonly string[]): string[] {
  const first = all[0];
  // What a setting begins with is known only to the machine.
  return first === undefined || /^[^-$]/.test(first) ? [...all] : ["--", ...all];
}

/** `name` for `${name}`. */
export function settingName(name: string): string {
  if (!SETTING.test(name)) throw refusal(name, "this is no setting");
  return name;
}

/** The literal and its `${name}` as settings, for the names allowed; others stay literal, which {@link word} refuses. */
export function withSettings(literal: string, allowed: readonly string[]): Text {
  const parts: (string | Setting)[] = [];
  let rest = 0;
  for (const match of literal.matchAll(/\$\{([^${}]*)\}/g)) {
    const setting = match[1]!;
    if (!allowed.includes(setting)) continue;
    parts.push(literal.slice(rest, match.index), { setting });
    rest = match.index + match[0].length;
  }
  return [...parts, literal.slice(rest)];
}

/** Any text as something that can be shown on a console: one line of printable ASCII, cut at a bearable length. */
export function displayable(text: string): string {
  const line = text
    .replaceAll(/\s+/g, " ")
    .trim()
    .replaceAll(/[^ -~]/g, "?")
    .replaceAll("${", "$ {");
  return line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT - 3)}...` : line;
}

type Part = string | Setting;

/** At every single space of the literals; empty literals are left out. */
function split(text: Text): Part[][] {
  const found: Part[][] = [[]];
  for (const part of typeof text === "string" ? [text] : text) {
    if (typeof part !== "string") {
      found.at(-1)!.push(part);
      continue;
    }
    part.split(" ").forEach((piece, i) => {
      if (i > 0) found.push([]);
      if (piece !== "") found.at(-1)!.push(piece);
    });
  }
  return found;
}

function one(parts: readonly Part[]): string {
  const isLiteral = parts.every((part) => typeof part === "string");
  // Expansion goes on until nothing is left to expand, so beside a setting no literal may complete another one.
  if (isLiteral ? isExpanded(parts.join("")) : parts.some((part) => typeof part === "string" && /[${}]/.test(part))) {
    throw refusal(parts, "iPXE would expand it");
  }
  const text = parts.map((part) => (typeof part === "string" ? part : `\${${settingName(part.setting)}}`)).join("");
  if (!/^[!-~]*$/.test(text)) throw refusal(parts, "only printable ASCII has a place in a script");
  const start = text === "" || text.startsWith("#") || SEPARATORS.has(text) ? NOTHING : "";
  // At the end of a line a backslash would take the next line with it.
  const end = text.endsWith("\\") ? NOTHING : "";
  return start + text + end;
}

function isExpanded(literal: string): boolean {
  const start = literal.indexOf("${");
  return start !== -1 && literal.includes("}", start);
}

function refusal(text: Text, reason: string): Fault {
  const shown = JSON.stringify(text);
  return new Fault("ipxe.text", `no script can have ${shown.length > 200 ? `${shown.slice(0, 200)}…` : shown}: ${reason}`, {
    fault: "caller",
    retry: "never",
    facts: { reason },
  });
}
