/**
 * Variables of clusterctl's templates, `${NAME}` in drone/envsubst's syntax (facts §1.8): with defaults (`${A:=b}`, `${A=b}`, `${A:-b}`,
 * `${A-b}`, which all stand for a variable that is unset or empty), lengths (`${#A}`), pieces (`${A:1}`, `${A:1:2}`), what is cut off
 * (`${A#x}`, `##`, `%`, `%%`), what is replaced (`${A/x/y}`, `//`, `/#`, `/%`), and case (`${A^}`, `^^`, `,`, `,,`). `$${` is `${` itself.
 */
import { Fault } from "#std/fault.ts";

export type Lookup = (name: string) => string | undefined;

export interface Variable {
  readonly name: string;
  /** What it is when nobody says otherwise; undefined: it has to be said. */
  readonly fallback: string | undefined;
}

const NAME = /^(#?)\s*([A-Za-z_][A-Za-z0-9_]*)\s*/;

/** The text with its variables replaced. Throws Fault `cli.usage` that names all that are missing, or the line that is no variable. */
export function substitute(text: string, lookup: Lookup): string {
  const missing = new Set<string>();
  const out = expand(text, lookup, (name) => missing.add(name), 0);
  if (missing.size === 0) return out;
  const names = [...missing].sort().join(", ");
  throw usage(
    `the template needs ${missing.size === 1 ? "a value" : "values"} for ${names}: --set NAME=VALUE, or the environment`,
  );
}

/** The variables of a template, by name. */
export function variablesOf(text: string): Variable[] {
  const found = new Map<string, Variable>();
  const note = (name: string, fallback: string | undefined): void => {
    if (found.get(name)?.fallback === undefined) found.set(name, { name, fallback });
  };
  expand(
    text,
    (name) => (note(name, undefined), undefined),
    () => {},
    0,
    note,
  );
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Note = (name: string, fallback: string | undefined) => void;

const DEEPEST = 10;

function expand(text: string, lookup: Lookup, onMissing: (name: string) => void, depth: number, note?: Note): string {
  let out = "";
  let at = 0;
  for (let start = text.indexOf("${"); start >= 0; start = text.indexOf("${", at)) {
    if (text[start - 1] === "$" && start > at) {
      out += `${text.slice(at, start - 1)}\${`;
      at = start + 2;
      continue;
    }
    const end = closing(text, start + 2);
    if (end < 0 || depth > DEEPEST) throw bad(text, start);
    out += text.slice(at, start);
    const value = evaluate(
      text.slice(start + 2, end),
      lookup,
      (inner) => expand(inner, lookup, onMissing, depth + 1, note),
      note,
    );
    if (value === undefined) throw bad(text, start);
    if ("missing" in value) onMissing(value.missing);
    else out += value.text;
    at = end + 1;
  }
  return out + text.slice(at);
}

/** Where the braces that opened before `from` close; -1: nowhere. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "{" && text[i - 1] === "$") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return -1;
}

type Value = { readonly text: string } | { readonly missing: string };

/** Undefined for what is no variable. */
function evaluate(body: string, lookup: Lookup, inner: (text: string) => string, note: Note | undefined): Value | undefined {
  const [head, hash, name] = NAME.exec(body) ?? [];
  if (head === undefined || name === undefined) return undefined;
  const rest = body.slice(head.length);
  const value = lookup(name);
  const isSet = value !== undefined && value !== "";
  if (hash === "#") return rest === "" ? { text: String((value ?? "").length) } : undefined;
  const fallback = /^(:=|:-|=|-)([^]*)$/.exec(rest);
  if (fallback !== null) {
    note?.(name, fallback[2]);
    return { text: isSet ? value : inner(fallback[2]!) };
  }
  if (value === undefined) return isOperation(rest) ? { missing: name } : undefined;
  const text = operate(value, rest, inner);
  return text === undefined ? undefined : { text };
}

function isOperation(rest: string): boolean {
  return operate("", rest, (text) => text) !== undefined;
}

function operate(value: string, rest: string, inner: (text: string) => string): string | undefined {
  const [, sign = "", operand = ""] = /^(\^\^|\^|,,|,|##|#|%%|%|\/\/|\/#|\/%|\/|:)?([^]*)$/.exec(rest)!;
  switch (sign) {
    case "":
      return operand === "" ? value : undefined;
    case "^":
      return value.slice(0, 1).toUpperCase() + value.slice(1);
    case "^^":
      return value.toUpperCase();
    case ",":
      return value.slice(0, 1).toLowerCase() + value.slice(1);
    case ",,":
      return value.toLowerCase();
    case "#":
    case "##":
    case "%":
    case "%%":
      return cut(value, sign, inner(operand));
    case ":":
      return piece(value, operand);
    default:
      return replaced(value, sign, inner(operand));
  }
}

/** `*` and `?` stand for any text and any character. The shortest piece that fits is cut, or with a doubled sign the longest. */
function cut(value: string, sign: string, pattern: string): string {
  const isFront = sign.startsWith("#");
  const glob = globOf(pattern);
  const lengths = Array.from({ length: value.length + 1 }, (_, i) => i);
  const fits = (length: number): boolean => glob.test(isFront ? value.slice(0, length) : value.slice(value.length - length));
  const length = (sign.length === 1 ? lengths : lengths.reverse()).find(fits) ?? 0;
  return isFront ? value.slice(length) : value.slice(0, value.length - length);
}

function globOf(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", "[^]*")
    .replaceAll("?", "[^]");
  return new RegExp(`^${source}$`);
}

function piece(value: string, operand: string): string | undefined {
  const [, from, length] = /^\s*(\d{1,6})\s*(?::\s*(\d{1,6})\s*)?$/.exec(operand) ?? [];
  if (from === undefined) return undefined;
  return value.slice(Number(from), length === undefined ? undefined : Number(from) + Number(length));
}

function replaced(value: string, sign: string, operand: string): string {
  const slash = operand.indexOf("/");
  const [search, by] = slash < 0 ? [operand, ""] : [operand.slice(0, slash), operand.slice(slash + 1)];
  if (search === "") return value;
  if (sign === "//") return value.replaceAll(search, () => by);
  if (sign === "/#") return value.startsWith(search) ? by + value.slice(search.length) : value;
  if (sign === "/%") return value.endsWith(search) ? value.slice(0, -search.length) + by : value;
  return value.replace(search, () => by);
}

function bad(text: string, at: number): Fault {
  const line = text.slice(0, at).split("\n").length;
  return usage(`line ${line} of the template: this is no variable: ${text.slice(at, at + 40).split("\n")[0]}`);
}

function usage(message: string): Fault {
  return new Fault("cli.usage", message, { fault: "caller", retry: "never" });
}
