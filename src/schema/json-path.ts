/**
 * JSONPath as CustomResourceDefinitions use it in printer columns (k8s.io/client-go/util/jsonpath, without `range` and text
 * around the expression): `.spec.x`, `.metadata.labels.a\.b`, `['a']`, `[0]`, `[-1]`, `[1:3]`, `[*]`, `[a,b]`, `..x` and
 * `[?(@.type=="Ready")]`. What a genuine server evaluates to an error finds nothing here: both show an empty cell.
 */
import { Fault } from "#std/fault.ts";
import type { Json } from "#std/json.ts";
import { isObject, own } from "#std/json.ts";
import { quoteCharacter } from "./quote.ts";

/** Everything a path finds in a value, in document order. */
export type JsonPath = (value: unknown) => Json[];

/** From the values found so far to the next ones. */
type Step = (values: Json[]) => Json[];

/** `..` may be chained, which multiplies results; what lies beyond is not found. */
const RESULT_LIMIT = 10_000;

/** A path as a CRD writes it, without braces. Throws Fault `schema.json-path` when it does not parse; see {@link jsonPathProblem}. */
export function compileJsonPath(path: string): JsonPath {
  const step = new Parser(path).parse();
  return (value) => {
    try {
      return step([value as Json]);
    } catch (error) {
      if (error instanceof NotEvaluable) return [];
      throw error;
    }
  };
}

/** What is wrong with a path, in a genuine server's words. */
export function jsonPathProblem(path: string): string | undefined {
  try {
    new Parser(path).parse();
    return undefined;
  } catch (error) {
    if (Fault.is(error, "schema.json-path")) return error.message;
    throw error;
  }
}

/** The names of a simple path (`.spec.replicas`), as scale subresources and selectable fields have them. */
export function fieldNames(path: string): string[] {
  return path.replace(/^\./, "").split(".");
}

/** The path parses but does not fit this value. */
class NotEvaluable extends Error {}

function syntax(problem: string): never {
  throw new Fault("schema.json-path", problem, { fault: "caller", retry: "never" });
}

const TERMINATOR = /[ \t\r\n.,[\]$@{}]/;
const SLICE = /^(-?\d*)(:-?\d*)?(:-?\d*)?$/;

class Parser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Step {
    const steps: Step[] = [];
    while (this.#position < this.#text.length) {
      const step = this.#step();
      if (step !== undefined) steps.push(step);
    }
    return (values) => steps.reduce((current, step) => step(current), values);
  }

  #step(): Step | undefined {
    if (this.#skip("[?(")) return this.#filter();
    if (this.#skip("..")) return this.#descent();
    const character = this.#text[this.#position++]!;
    switch (character) {
      case " ":
      case "@":
      case "$":
        return undefined;
      case "[":
        return this.#bracket();
      case "'":
      case '"':
        return constant(this.#quoted(character));
      case ".":
        return fieldStep(this.#name());
      case "\n":
      case "\r":
        return syntax("unclosed action");
    }
    this.#position--;
    if (/[-+\d]/.test(character)) return constant(this.#number());
    if (/[\p{L}_]/u.test(character)) return constant(this.#word());
    return syntax(`unrecognized character in action: U+${codePoint(character)} ${quoteCharacter(character)}`);
  }

  #skip(prefix: string): boolean {
    if (!this.#text.startsWith(prefix, this.#position)) return false;
    this.#position += prefix.length;
    return true;
  }

  /** Up to the next terminator; a backslash takes the next character as it is. */
  #name(): string {
    let name = "";
    while (this.#position < this.#text.length && !TERMINATOR.test(this.#text[this.#position]!)) {
      if (this.#text[this.#position] === "\\") this.#position++;
      name += this.#text[this.#position++] ?? "";
    }
    return name;
  }

  #descent(): Step {
    if (this.#text.startsWith("..", this.#position)) syntax("invalid multiple recursive descent");
    const next = this.#text[this.#position] ?? "";
    if (!/[\p{L}\p{Nd}_]/u.test(next)) return descend;
    const field = fieldStep(this.#name());
    return (values) => field(descend(values));
  }

  #bracket(): Step {
    const end = this.#text.indexOf("]", this.#position);
    if (end < 0) syntax("unterminated array");
    const inside = this.#text.slice(this.#position, end);
    this.#position = end + 1;
    const parts = inside.split(",");
    if (parts.length > 1) {
      const steps = parts.map((part) => new Parser(`[${part.trim()}]`).parse());
      return (values) => steps.flatMap((step) => step(values));
    }
    const key = /^'([^']*)'$/.exec(inside);
    if (key !== null) return new Parser(`.${key[1]!}`).parse();
    const slice = SLICE.exec(inside === "*" ? ":" : inside);
    if (slice === null) syntax(`invalid array index ${inside}`);
    return sliceStep(slice[1]!, slice[2], slice[3]);
  }

  #filter(): Step {
    const text = this.#filterText();
    const comparison = /^([^!<>=]+)([!<>=]+)(.+?)$/s.exec(text);
    const left = new Parser(comparison?.[1] ?? text).parse();
    if (comparison === null) return filterStep((item) => left([item]).length > 0);
    const operator = comparison[2]!;
    const right = new Parser(comparison[3]!).parse();
    return filterStep((item) => {
      const lefts = left([item]);
      const rights = lefts.length === 0 ? [] : right([item]);
      if (rights.length === 0) return false;
      if (lefts.length > 1 || rights.length > 1) throw new NotEvaluable();
      return compare(lefts[0]!, operator, rights[0]!);
    });
  }

  /** Up to `)]`; a parenthesis inside the first pair of quotes does not end the filter. */
  #filterText(): string {
    const start = this.#position;
    let quote = "";
    let isClosed = false;
    for (;;) {
      const character = this.#text[this.#position++];
      if (character === undefined || character === "\n") return syntax("unterminated filter");
      if (character === ")" && (quote === "" || isClosed)) break;
      if (character !== "'" && character !== '"') continue;
      if (quote === "") quote = character;
      else if (character === quote && this.#text[this.#position - 2] !== "\\") isClosed = true;
    }
    if (this.#text[this.#position++] !== "]") syntax("unclosed array expect ]");
    return this.#text.slice(start, this.#position - 2);
  }

  #quoted(quote: string): string {
    let text = "";
    for (;;) {
      const character = this.#text[this.#position++];
      if (character === undefined || character === "\n") return syntax("unterminated quoted string");
      if (character === quote) return text;
      text += character === "\\" ? (this.#text[this.#position++] ?? "") : character;
    }
  }

  #number(): number {
    const text = /^[-+]?[\d.]*/.exec(this.#text.slice(this.#position))![0];
    this.#position += text.length;
    const value = text === "" ? Number.NaN : Number(text);
    return Number.isNaN(value) || !/\d/.test(text) ? syntax(`cannot parse number ${text}`) : value;
  }

  #word(): boolean {
    const start = this.#position;
    while (this.#position < this.#text.length && !TERMINATOR.test(this.#text[this.#position]!)) this.#position++;
    const word = this.#text.slice(start, this.#position);
    return word === "true" || word === "false" ? word === "true" : syntax(`unrecognized identifier ${word}`);
  }
}

function codePoint(character: string): string {
  return character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
}

function constant(value: Json): Step {
  return (values) => values.map(() => value);
}

function fieldStep(name: string): Step {
  if (name === "*") return (values) => values.flatMap(children);
  return (values) => {
    const found: Json[] = [];
    for (const value of values) {
      const child = isObject(value) ? own(value, name) : undefined;
      if (child !== undefined) found.push(child);
    }
    return found;
  };
}

function children(value: Json): Json[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

/** Every value that has children, from the outside in. */
function descend(values: Json[]): Json[] {
  const found: Json[] = [];
  const pending = values.toReversed();
  for (let value = pending.pop(); value !== undefined && found.length < RESULT_LIMIT; value = pending.pop()) {
    const inside = children(value);
    if (inside.length === 0) continue;
    found.push(value);
    for (let i = inside.length - 1; i >= 0; i--) pending.push(inside[i]!);
  }
  return found;
}

/** `[first]`, `[first:end]`, `[first:end:step]`; negative positions count from the end. */
function sliceStep(first: string, endPart: string | undefined, stepPart: string | undefined): Step {
  const stride = stepPart === undefined || stepPart === ":" ? 1 : Number(stepPart.slice(1));
  return (values) => {
    const found: Json[] = [];
    for (const list of values) {
      if (list === null) continue;
      if (!Array.isArray(list) || stride <= 0) throw new NotEvaluable();
      const start = fromEnd(first === "" ? 0 : Number(first), list.length);
      let end = list.length;
      if (endPart === undefined) end = start + 1;
      else if (endPart !== ":") end = fromEnd(Number(endPart.slice(1)), list.length);
      if (start === end) return found;
      if (start < 0 || start >= list.length || end < start || end > list.length) throw new NotEvaluable();
      for (let i = start; i < end; i += stride) found.push(list[i]!);
    }
    return found;
  };
}

function fromEnd(position: number, length: number): number {
  return position < 0 ? position + length : position;
}

function filterStep(passes: (item: Json) => boolean): Step {
  return (values) =>
    values.flatMap((list) => {
      if (!Array.isArray(list)) throw new NotEvaluable();
      return list.filter(passes);
    });
}

/** Only scalars of one type compare, and integers are another type than fractions; booleans have no order. */
function compare(left: Json, operator: string, right: Json): boolean {
  const type = typeof left;
  if (type !== typeof right || type === "object" || Number.isInteger(left) !== Number.isInteger(right)) throw new NotEvaluable();
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (type === "boolean") throw new NotEvaluable();
  const [a, b] = [left, right] as [number, number] | [string, string];
  switch (operator) {
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    default:
      throw new NotEvaluable();
  }
}
