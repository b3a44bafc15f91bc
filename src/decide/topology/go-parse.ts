/** The grammar of Go templates, as far as `go-template.ts` runs them. */
import type { Json } from "#std/json.ts";
import { templateFault } from "./go-functions.ts";

export type Expression =
  | { readonly is: "literal"; readonly value: Json }
  /** `root` is a variable, undefined the dot. */
  | { readonly is: "field"; readonly root: string | undefined; readonly path: readonly string[] }
  | { readonly is: "call"; readonly name: string; readonly arguments: readonly Expression[] };

interface Branch {
  readonly of: Expression;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export type Node =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "print"; readonly of: Expression }
  | { readonly is: "set"; readonly name: string; readonly of: Expression }
  | ({ readonly is: "if" | "with" } & Branch)
  | ({ readonly is: "range"; readonly key: string | undefined; readonly value: string | undefined } & Branch);

type Piece = { readonly text: string } | { readonly action: string };

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|(-?\d+(?:\.\d+)?)|(\$?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\$(?:\.[A-Za-z_]\w*)*|\.(?:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)?)|(:=|[()|,=]))/y;

export function parseTemplate(template: string): readonly Node[] {
  const parser = new Parser(piecesOf(template));
  const nodes = parser.block();
  if (parser.ending !== undefined) throw templateFault(`unexpected {{${parser.ending}}}`);
  return nodes;
}

function piecesOf(template: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = template;
  let trims = false;
  for (;;) {
    const open = rest.indexOf("{{");
    const text = open < 0 ? rest : rest.slice(0, open);
    const before = trims ? text.trimStart() : text;
    if (open < 0) return [...pieces, { text: before }];
    const close = rest.indexOf("}}", open);
    if (close < 0) throw templateFault("unclosed action");
    let action = rest.slice(open + 2, close);
    const trimsLeft = /^-\s/.test(action);
    trims = /\s-$/.test(action);
    action = action.slice(trimsLeft ? 1 : 0, trims ? -1 : undefined).trim();
    pieces.push({ text: trimsLeft ? before.trimEnd() : before });
    if (!action.startsWith("/*")) pieces.push({ action });
    rest = rest.slice(close + 2);
  }
}

class Parser {
  /** The action that ended the last block: `end`, `else`, `else if …`; undefined at the end of the template. */
  ending: string | undefined;
  readonly #pieces: readonly Piece[];
  #next = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  block(): Node[] {
    const nodes: Node[] = [];
    for (let piece = this.#pieces[this.#next++]; piece !== undefined; piece = this.#pieces[this.#next++]) {
      if ("text" in piece) {
        if (piece.text !== "") nodes.push({ is: "text", text: piece.text });
        continue;
      }
      const word = /^\w+/.exec(piece.action)?.[0];
      if (word === "end" || word === "else") {
        this.ending = piece.action;
        return nodes;
      }
      nodes.push(this.#node(word, piece.action));
    }
    this.ending = undefined;
    return nodes;
  }

  #node(word: string | undefined, action: string): Node {
    if (word === "if" || word === "with") return { is: word, ...this.#branch(word, action.slice(word.length)) };
    if (word === "range") {
      const [, key, value, of = ""] = /^range\s+(?:(\$\w+)\s*(?:,\s*(\$\w+)\s*)?:=)?(.*)$/s.exec(action) ?? [];
      const only = value === undefined;
      return { is: "range", key: only ? undefined : key, value: only ? key : value, ...this.#branch("range", of) };
    }
    if (word === "define" || word === "template" || word === "block" || word === "break" || word === "continue")
      throw templateFault(`{{${word}}} is not known`);
    const assigned = /^(\$\w+)\s*:?=\s*(.*)$/s.exec(action);
    return assigned === null ? { is: "print", of: parse(action) } : { is: "set", name: assigned[1]!, of: parse(assigned[2]!) };
  }

  #branch(word: string, of: string): Branch {
    const condition = parse(of);
    const body = this.block();
    const ending = this.ending;
    if (ending === undefined) throw templateFault(`{{${word}}} without {{end}}`);
    if (ending === "end") return { of: condition, body, otherwise: [] };
    const chained = /^else\s+(if|with)\s+(.*)$/s.exec(ending);
    if (chained !== null) {
      const is = chained[1] as "if" | "with";
      return { of: condition, body, otherwise: [{ is, ...this.#branch(is, chained[2]!) }] };
    }
    const otherwise = this.block();
    if (this.ending !== "end") throw templateFault(`{{${word}}} without {{end}}`);
    return { of: condition, body, otherwise };
  }
}

/** Tokens that one action may have. */
const MOST_TOKENS = 1000;

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== "") {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null || tokens.length >= MOST_TOKENS)
      throw templateFault(`unexpected ${JSON.stringify(text.slice(at).trim())}`);
    tokens.push(match[0].trim());
  }
  return tokens;
}

function parse(text: string): Expression {
  const tokens = tokensOf(text);
  const expression = pipeline(tokens);
  if (tokens.length > 0) throw templateFault(`unexpected ${tokens[0]}`);
  return expression;
}

/** Each command gets what the one before it gave as its last argument. */
function pipeline(tokens: string[]): Expression {
  let value = command(tokens, undefined);
  while (tokens[0] === "|") {
    tokens.shift();
    value = command(tokens, value);
  }
  return value;
}

function command(tokens: string[], last: Expression | undefined): Expression {
  const first = tokens[0];
  if (first === undefined) throw templateFault("missing value");
  if (!/^[A-Za-z_]\w*$/.test(first) || isWord(first)) {
    const value = operand(tokens);
    if (last !== undefined) throw templateFault(`${first} is no function`);
    return value;
  }
  tokens.shift();
  const given: Expression[] = [];
  while (tokens.length > 0 && tokens[0] !== "|" && tokens[0] !== ")") given.push(operand(tokens));
  return { is: "call", name: first, arguments: last === undefined ? given : [...given, last] };
}

function isWord(token: string): boolean {
  return token === "true" || token === "false" || token === "nil";
}

function operand(tokens: string[]): Expression {
  const token = tokens.shift()!;
  if (token === "(") {
    const value = pipeline(tokens);
    if (tokens.shift() !== ")") throw templateFault("unclosed parenthesis");
    return value;
  }
  if (isWord(token)) return { is: "literal", value: token === "nil" ? null : token === "true" };
  if (token.startsWith('"')) return { is: "literal", value: unquoted(token) };
  if (token.startsWith("`")) return { is: "literal", value: token.slice(1, -1) };
  if (/^-?\d/.test(token)) return { is: "literal", value: Number(token) };
  if (token.startsWith(".")) return { is: "field", root: undefined, path: token.split(".").filter((part) => part !== "") };
  if (token.startsWith("$")) {
    const [root, ...path] = token.split(".");
    return { is: "field", root: root!, path };
  }
  if (/^[A-Za-z_]\w*$/.test(token)) return { is: "call", name: token, arguments: [] };
  throw templateFault(`unexpected ${token}`);
}

function unquoted(token: string): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    throw templateFault(`${token} is no string`);
  }
}
