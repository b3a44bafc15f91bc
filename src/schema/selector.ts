/**
 * Label selectors, as text (`a=b,c in (d,e),!f`: k8s.io/apimachinery/pkg/labels, with its error texts) and as an object
 * (meta/v1 LabelSelector). Both become one compiled {@link Selector}.
 */
import type { FieldError } from "./field.ts";
import { FieldPath, forbidden, invalid, printFieldError, required } from "./field.ts";
import { labelKey, labelValue } from "./names.ts";
import { validateLabels } from "./object-meta.ts";

export type Labels = Readonly<Record<string, string>>;
export type SelectorOperator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";

/** One condition; all conditions of a selector must hold. */
export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values: readonly string[];
}

/** meta/v1 LabelSelector. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export class Selector {
  readonly requirements: readonly Requirement[];
  readonly #tests: readonly ((labels: Labels) => boolean)[];

  constructor(requirements: readonly Requirement[]) {
    this.requirements = requirements;
    this.#tests = requirements.map(compile);
  }

  /** True when every object matches. */
  get isEmpty(): boolean {
    return this.requirements.length === 0;
  }

  matches(labels: Labels): boolean {
    for (const test of this.#tests) if (!test(labels)) return false;
    return true;
  }
}

function compile({ key, operator, values }: Requirement): (labels: Labels) => boolean {
  const wanted = new Set(values);
  switch (operator) {
    case "In":
      return (labels) => Object.hasOwn(labels, key) && wanted.has(labels[key]!);
    case "NotIn":
      return (labels) => !Object.hasOwn(labels, key) || !wanted.has(labels[key]!);
    case "Exists":
      return (labels) => Object.hasOwn(labels, key);
    case "DoesNotExist":
      return (labels) => !Object.hasOwn(labels, key);
    case "Gt":
    case "Lt": {
      const bound = parseInteger(values[0] ?? "");
      return (labels) => {
        const value = Object.hasOwn(labels, key) ? parseInteger(labels[key]!) : undefined;
        if (value === undefined || bound === undefined) return false;
        return operator === "Gt" ? value > bound : value < bound;
      };
    }
  }
}

/** As Go's ParseInt(…, 10, 64); undefined when it is no integer or does not fit. */
function parseInteger(text: string): bigint | undefined {
  if (!/^[+-]?[0-9]{1,64}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** Object form to matcher. An unknown operator selects nothing; {@link validateSelector} finds it beforehand. */
export function compileSelector(selector: LabelSelector): Selector {
  const labels = selector.matchLabels ?? {};
  const equalities = Object.keys(labels).map((key): Requirement => ({ key, operator: "In", values: [labels[key]!] }));
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }): Requirement => {
    const isKnown = operator === "In" || operator === "NotIn" || operator === "Exists" || operator === "DoesNotExist";
    return isKnown ? { key, operator, values } : { key, operator: "In", values: [] };
  });
  return new Selector([...equalities, ...expressions]);
}

/** What is wrong with a selector in object form (apimachinery `ValidateLabelSelector`). */
export function validateSelector(selector: LabelSelector, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  validateLabels(selector.matchLabels ?? {}, path.child("matchLabels"), errors);
  for (const [i, expression] of (selector.matchExpressions ?? []).entries()) {
    const at = path.child("matchExpressions").index(i);
    const { key = "", operator = "", values = [] } = expression;
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0) errors.push(required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      if (values.length > 0) errors.push(forbidden(at.child("values"), detail));
    } else {
      errors.push(invalid(at.child("operator"), operator, "not a valid selector operator"));
    }
    for (const problem of labelKey(key)) errors.push(invalid(at.child("key"), key, problem));
    for (const [j, value] of values.entries()) {
      for (const problem of labelValue(value)) errors.push(invalid(at.child("values").index(j), value, problem));
    }
  }
  return errors;
}

/** Text form; `problem` is the message a genuine server answers with (400 BadRequest). Linear in the text's length. */
export function parseSelector(text: string): { selector: Selector } | { problem: string } {
  try {
    return { selector: new Selector(new Parser(text).parse()) };
  } catch (error) {
    if (error instanceof SelectorProblem) return { problem: error.message };
    throw error;
  }
}

class SelectorProblem extends Error {}

type TokenKind = "end" | "identifier" | ")" | "," | "!" | "==" | "=" | ">" | "in" | "<" | "!=" | "notin" | "(";
interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const TOKEN = /[ \t\r\n]*(?:([=!(),<>]+)|([^=!(),<> \t\r\n]+)|$)/y;
const SYMBOLS: readonly TokenKind[] = ["==", "!=", ")", ",", "!", "=", ">", "<", "("];
const OPERATORS = "in, notin, =, ==, !=, gt, lt";

/** The tokens of a selector. A run of symbols is read longest symbol first. */
function tokens(text: string): Token[] {
  const list: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)!;
    if (match[2] !== undefined) {
      const kind = match[2] === "in" || match[2] === "notin" ? match[2] : "identifier";
      list.push({ kind, text: match[2] });
    }
    for (let rest = match[1] ?? ""; rest !== "";) {
      const symbol = SYMBOLS.find((candidate) => rest.startsWith(candidate))!;
      list.push({ kind: symbol, text: symbol });
      rest = rest.slice(symbol.length);
    }
  }
  list.push({ kind: "end", text: "" });
  return list;
}

class Parser {
  readonly #tokens: Token[];
  #position = 0;

  constructor(text: string) {
    this.#tokens = tokens(text);
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    for (;;) {
      const token = this.#peek();
      if (token.kind === "end") return requirements;
      if (token.kind !== "identifier" && token.kind !== "!") fail(token, ", expected: !, identifier, or 'end of string'");
      requirements.push(this.#requirement());
      const separator = this.#next();
      if (separator.kind === "end") return requirements;
      if (separator.kind !== ",") fail(separator, ", expected: ',' or 'end of string'");
      const following = this.#peek();
      if (following.kind !== "identifier" && following.kind !== "!") fail(following, ", expected: identifier after ','");
    }
  }

  #requirement(): Requirement {
    try {
      return this.#keyAndCondition();
    } catch (error) {
      if (error instanceof SelectorProblem) throw new SelectorProblem(`unable to parse requirement: ${error.message}`);
      throw error;
    }
  }

  #keyAndCondition(): Requirement {
    let token = this.#next();
    const isNegated = token.kind === "!";
    if (isNegated) token = this.#next();
    if (token.kind !== "identifier") fail(token, ", expected: identifier");
    const key = token.text;
    const problems = labelKey(key);
    if (problems.length > 0) throw new SelectorProblem(printFieldError(invalid(FieldPath.root, key, problems.join("; "))));
    if (isNegated) return { key, operator: "DoesNotExist", values: [] };
    const after = this.#peek().kind;
    if (after === "end" || after === ",") return { key, operator: "Exists", values: [] };
    return this.#condition(key);
  }

  #condition(key: string): Requirement {
    const token = this.#tokens[this.#position++]!;
    switch (token.kind) {
      case "in":
      case "notin":
        return this.#checked({ key, operator: token.kind === "in" ? "In" : "NotIn", values: this.#values() });
      case "=":
      case "==":
        return this.#checked({ key, operator: "In", values: [this.#value()] });
      case "!=":
        return this.#checked({ key, operator: "NotIn", values: [this.#value()] });
      case ">":
      case "<":
        return this.#checked({ key, operator: token.kind === ">" ? "Gt" : "Lt", values: [this.#value()] });
      default:
        return fail(token, `, expected: ${OPERATORS}`);
    }
  }

  #checked(requirement: Requirement): Requirement {
    const { key, operator, values } = requirement;
    const path = FieldPath.of("values");
    const errors: FieldError[] = [];
    if ((operator === "Gt" || operator === "Lt") && parseInteger(values[0]!) === undefined) {
      errors.push(invalid(path.index(0), values[0], "for 'Gt', 'Lt' operators, the value must be an integer"));
    }
    for (const [i, value] of values.entries()) {
      const problems = labelValue(value);
      if (problems.length > 0) errors.push(invalid(path.index(i).key(key), value, problems.join("; ")));
    }
    if (errors.length === 0) return requirement;
    const lines = [...new Set(errors.map(printFieldError))];
    throw new SelectorProblem(lines.length === 1 ? lines[0]! : `[${lines.join(", ")}]`);
  }

  /** `(a,b)`; an empty place between commas is the empty value. Sorted and unique. */
  #values(): string[] {
    const open = this.#next();
    if (open.kind !== "(") fail(open, " expected: '('");
    const first = this.#peek();
    if (first.kind !== "identifier" && first.kind !== "," && first.kind !== ")")
      fail(first, ", expected: ',', ')' or identifier");
    const values = new Set<string>();
    if (first.kind === ")") values.add("");
    else this.#list(values);
    this.#next();
    return [...values].toSorted();
  }

  /** Up to, and not including, the closing parenthesis. */
  #list(values: Set<string>): void {
    for (;;) {
      const token = this.#next();
      if (token.kind === "identifier") {
        values.add(token.text);
        const following = this.#peek();
        if (following.kind === ")") return;
        if (following.kind !== ",") fail(following, ", expected: ',' or ')'");
      } else if (token.kind === ",") {
        if (values.size === 0) values.add("");
        const following = this.#peek().kind;
        if (following === ")" || following === ",") values.add("");
        if (following === ")") return;
      } else {
        fail(token, ", expected: ',', or identifier");
      }
    }
  }

  #value(): string {
    const following = this.#peek().kind;
    if (following === "end" || following === ",") return "";
    const token = this.#next();
    return token.kind === "identifier" ? token.text : fail(token, ", expected: identifier");
  }

  /** `in` and `notin` are words like any other except where an operator is expected. */
  #peek(): Token {
    const token = this.#tokens[this.#position] ?? { kind: "end", text: "" };
    return token.kind === "in" || token.kind === "notin" ? { kind: "identifier", text: token.text } : token;
  }

  #next(): Token {
    const token = this.#peek();
    this.#position++;
    return token;
  }
}

function fail(token: Token, expectation: string): never {
  throw new SelectorProblem(`found '${token.text}'${expectation}`);
}
