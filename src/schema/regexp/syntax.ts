/**
 * Regular expressions as Kubernetes understands them: RE2 (Go's regexp/syntax, Perl flags), read into a tree. There is no
 * look-around and no back-reference in that language, which is what makes matching linear; both are refused here with Go's words.
 */

export interface CharacterSet {
  /** Inclusive code point ranges. */
  readonly ranges: readonly (readonly [number, number])[];
  /** `\p{…}` classes, each tested on one character. */
  readonly properties: readonly RegExp[];
  readonly isNegated: boolean;
}

export type Assertion = "text-start" | "text-end" | "line-start" | "line-end" | "word" | "no-word";

export type Tree =
  | { readonly kind: "empty" }
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "assert"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly Tree[] }
  | { readonly kind: "choice"; readonly parts: readonly Tree[] }
  | { readonly kind: "repeat"; readonly part: Tree; readonly min: number; readonly max: number };

/** What Go says about the expression, after `error parsing regexp: `. */
export class PatternProblem extends Error {}

const MAX_REPEAT = 1000;
/** Go's limit too. */
const MAX_DEPTH = 1000;
const MAX_CODE_POINT = 0x10ffff;

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
}

const DIGIT: CharacterSet["ranges"] = [[0x30, 0x39]];
const SPACE: CharacterSet["ranges"] = [
  [0x09, 0x0a],
  [0x0c, 0x0d],
  [0x20, 0x20],
];
const WORD: CharacterSet["ranges"] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const UPPER: CharacterSet["ranges"] = [[0x41, 0x5a]];
const LOWER: CharacterSet["ranges"] = [[0x61, 0x7a]];
const ALPHA: CharacterSet["ranges"] = [...UPPER, ...LOWER];
const POSIX: Readonly<Record<string, CharacterSet["ranges"]>> = {
  alnum: [...DIGIT, ...ALPHA],
  alpha: ALPHA,
  ascii: [[0, 0x7f]],
  blank: [
    [0x09, 0x09],
    [0x20, 0x20],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: DIGIT,
  graph: [[0x21, 0x7e]],
  lower: LOWER,
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  upper: UPPER,
  word: WORD,
  xdigit: [...DIGIT, [0x41, 0x46], [0x61, 0x66]],
};
const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };

/** Throws {@link PatternProblem}. Linear in the expression's length. */
export function parsePattern(text: string): Tree {
  return new Parser(text).parse();
}

class Parser {
  readonly #text: string;
  #position = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiline: false, dotAll: false };

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Tree {
    const tree = this.#choice();
    if (this.#position < this.#text.length) throw new PatternProblem(`unexpected ): \`${this.#text}\``);
    return tree;
  }

  /** Alternatives up to the end or a closing parenthesis. Flags set inside end with it. */
  #choice(): Tree {
    if (++this.#depth > MAX_DEPTH) throw new PatternProblem(`expression nests too deeply: \`${this.#text}\``);
    const flags = this.#flags;
    const parts: Tree[] = [this.#sequence()];
    while (this.#skip("|")) parts.push(this.#sequence());
    this.#flags = flags;
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { kind: "choice", parts };
  }

  #sequence(): Tree {
    const parts: Tree[] = [];
    while (this.#position < this.#text.length && !this.#at("|") && !this.#at(")")) {
      const atoms = this.#skip("\\Q") ? this.#literals() : [this.#atom()];
      const last = atoms.pop();
      parts.push(...atoms);
      if (last !== undefined) parts.push(last.kind === "empty" ? last : this.#repeats(last));
    }
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  }

  /** `\Q…\E`. */
  #literals(): Tree[] {
    const end = this.#text.indexOf("\\E", this.#position);
    const quoted = this.#text.slice(this.#position, end < 0 ? undefined : end);
    this.#position = end < 0 ? this.#text.length : end + 2;
    return [...quoted].map((character) => this.#literal(character.codePointAt(0)!));
  }

  #atom(): Tree {
    const start = this.#position;
    const character = this.#next();
    switch (character) {
      case "(":
        return this.#group(start);
      case "[":
        return { kind: "set", set: this.#class(start) };
      case ".": {
        const ranges: CharacterSet["ranges"] = this.#flags.dotAll ? [] : [[0x0a, 0x0a]];
        return { kind: "set", set: { ranges, properties: [], isNegated: true } };
      }
      case "^":
        return { kind: "assert", assertion: this.#flags.multiline ? "line-start" : "text-start" };
      case "$":
        return { kind: "assert", assertion: this.#flags.multiline ? "line-end" : "text-end" };
      case "*":
      case "+":
      case "?":
        throw new PatternProblem(`missing argument to repetition operator: \`${character}\``);
      case "{":
        this.#position = start;
        if (this.#counts() !== undefined) {
          throw new PatternProblem(`missing argument to repetition operator: \`${this.#text.slice(start, this.#position)}\``);
        }
        this.#position = start + 1;
        return this.#literal(0x7b);
      case "\\":
        return this.#escape(start);
    }
    return this.#literal(character.codePointAt(0)!);
  }

  #repeats(atom: Tree): Tree {
    const start = this.#position;
    const counts = this.#repetition();
    if (counts === undefined) return atom;
    const afterFirst = this.#position;
    if (this.#repetition() !== undefined) {
      throw new PatternProblem(`invalid nested repetition operator: \`${this.#text.slice(start, this.#position)}\``);
    }
    this.#position = afterFirst;
    return { kind: "repeat", part: atom, min: counts[0], max: counts[1] };
  }

  /** An operator and its laziness mark, which does not matter to whether a text matches. */
  #repetition(): readonly [number, number] | undefined {
    let counts: readonly [number, number] | undefined;
    if (this.#skip("*")) counts = [0, Number.POSITIVE_INFINITY];
    else if (this.#skip("+")) counts = [1, Number.POSITIVE_INFINITY];
    else if (this.#skip("?")) counts = [0, 1];
    else if (this.#at("{")) counts = this.#counts();
    if (counts !== undefined) this.#skip("?");
    return counts;
  }

  /** `{2}`, `{2,}`, `{2,3}`; anything else in braces is literal. */
  #counts(): readonly [number, number] | undefined {
    const match = /^\{(\d+)(,(\d*))?\}/.exec(this.#text.slice(this.#position, this.#position + 24));
    if (match === null) return undefined;
    this.#position += match[0].length;
    const min = Number(match[1]);
    let max = min;
    if (match[2] !== undefined) max = match[3] === "" ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (min > MAX_REPEAT || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT) || min > max) {
      throw new PatternProblem(`invalid repeat count: \`${match[0]}\``);
    }
    return [min, max];
  }

  #group(start: number): Tree {
    if (!this.#skip("?")) return this.#groupEnd();
    if (this.#at("P<") || this.#at("<")) {
      const name = /^P?<([A-Za-z0-9_]+)>/.exec(this.#text.slice(this.#position));
      if (name === null) throw new PatternProblem(`invalid named capture: \`${this.#text.slice(start)}\``);
      this.#position += name[0].length;
      return this.#groupEnd();
    }
    const flags = /^([imsU]*)(-[imsU]+)?([:)])/.exec(this.#text.slice(this.#position));
    if (flags === null) {
      const shown = this.#text.slice(start, this.#position + 1);
      throw new PatternProblem(`invalid or unsupported Perl syntax: \`${shown}\``);
    }
    this.#position += flags[0].length;
    const outer = this.#flags;
    for (const flag of flags[1]!) this.#setFlag(flag, true);
    for (const flag of flags[2]?.slice(1) ?? "") this.#setFlag(flag, false);
    if (flags[3] === ")") return { kind: "empty" };
    const tree = this.#groupEnd();
    this.#flags = outer;
    return tree;
  }

  #groupEnd(): Tree {
    const tree = this.#choice();
    if (!this.#skip(")")) throw new PatternProblem(`missing closing ): \`${this.#text}\``);
    return tree;
  }

  #setFlag(flag: string, isOn: boolean): void {
    if (flag === "i") this.#flags = { ...this.#flags, ignoreCase: isOn };
    if (flag === "m") this.#flags = { ...this.#flags, multiline: isOn };
    if (flag === "s") this.#flags = { ...this.#flags, dotAll: isOn };
  }

  #escape(start: number): Tree {
    const character = this.#peek();
    if (character === "b" || character === "B" || character === "A" || character === "z") {
      this.#position++;
      const assertion = ({ b: "word", B: "no-word", A: "text-start", z: "text-end" } as const)[character];
      return { kind: "assert", assertion };
    }
    const set = this.#classEscape(start);
    return set === undefined ? this.#literal(this.#escapedCharacter(start)) : { kind: "set", set };
  }

  /** `\d`, `\pL` and their like, the backslash already read. */
  #classEscape(start: number): CharacterSet | undefined {
    const character = this.#peek();
    const isNegated = character >= "A" && character <= "Z";
    const ranges = ({ d: DIGIT, s: SPACE, w: WORD } as Record<string, CharacterSet["ranges"]>)[character.toLowerCase()];
    if (ranges !== undefined) {
      this.#position++;
      return { ranges, properties: [], isNegated };
    }
    if (character !== "p" && character !== "P") return undefined;
    const name = /^[pP](?:\{(\^?)([^}]*)\}|([^{]))/u.exec(this.#text.slice(this.#position));
    const shown = name === null ? this.#text.slice(start) : `\\${name[0]}`;
    const property = unicodeProperty(name?.[2] ?? name?.[3] ?? "");
    if (name === null || property === undefined) throw new PatternProblem(`invalid character class range: \`${shown}\``);
    this.#position += name[0].length;
    return { ranges: [], properties: [property], isNegated: isNegated !== (name[1] === "^") };
  }

  #escapedCharacter(start: number): number {
    const character = this.#next();
    if (character === "") throw new PatternProblem("trailing backslash at end of expression: ``");
    if (Object.hasOwn(CONTROL, character)) return CONTROL[character]!;
    const rest = this.#text.slice(this.#position - character.length, this.#position + 12);
    const code = /^x\{([0-9A-Fa-f]{1,8})\}|^x([0-9A-Fa-f]{2})|^(0[0-7]{0,2}|[1-7][0-7]{1,2})/.exec(rest);
    if (code !== null) {
      this.#position += code[0].length - 1;
      const value = code[3] === undefined ? Number.parseInt(code[1] ?? code[2]!, 16) : Number.parseInt(code[3], 8);
      if (value <= MAX_CODE_POINT) return value;
    } else if (character < "\x80" && !/[A-Za-z0-9]/.test(character)) {
      return character.charCodeAt(0);
    }
    throw new PatternProblem(`invalid escape sequence: \`${this.#text.slice(start, this.#position)}\``);
  }

  /** A bracket expression, its opening bracket already read. */
  #class(start: number): CharacterSet {
    const isNegated = this.#skip("^");
    const ranges: (readonly [number, number])[] = [];
    const properties: RegExp[] = [];
    for (let isFirst = true; isFirst || !this.#at("]"); isFirst = false) {
      if (this.#position >= this.#text.length) throw new PatternProblem(`missing closing ]: \`${this.#text.slice(start)}\``);
      const set = this.#posixClass() ?? this.#escapeInClass();
      if (set === undefined) {
        ranges.push(this.#range());
      } else if (!set.isNegated) {
        ranges.push(...set.ranges);
        properties.push(...set.properties);
      } else if (set.properties.length === 0) {
        ranges.push(...complement(set.ranges));
      } else {
        properties.push(negatedProperty(set.properties[0]!));
      }
    }
    this.#position++;
    const folded = this.#flags.ignoreCase ? ranges.flatMap(foldRange) : ranges;
    // Go's classes may hold a newline, also negated ones: only `.` is special about it.
    return { ranges: folded, properties, isNegated };
  }

  #posixClass(): CharacterSet | undefined {
    const match = /^\[:(\^?)(\w+):\]/.exec(this.#text.slice(this.#position, this.#position + 16));
    if (match === null) return undefined;
    if (!Object.hasOwn(POSIX, match[2]!)) throw new PatternProblem(`invalid character class range: \`${match[0]}\``);
    this.#position += match[0].length;
    return { ranges: POSIX[match[2]!]!, properties: [], isNegated: match[1] === "^" };
  }

  #escapeInClass(): CharacterSet | undefined {
    if (!this.#at("\\")) return undefined;
    const start = this.#position++;
    const set = this.#classEscape(start);
    if (set === undefined) this.#position = start;
    return set;
  }

  #range(): readonly [number, number] {
    const start = this.#position;
    const low = this.#classCharacter();
    if (!this.#at("-") || this.#text[this.#position + 1] === "]") return [low, low];
    this.#position++;
    const high = this.#classCharacter();
    if (high < low) throw new PatternProblem(`invalid character class range: \`${this.#text.slice(start, this.#position)}\``);
    return [low, high];
  }

  #classCharacter(): number {
    const start = this.#position;
    const character = this.#next();
    if (character === "") throw new PatternProblem(`missing closing ]: \`${this.#text.slice(start)}\``);
    return character === "\\" ? this.#escapedCharacter(start) : character.codePointAt(0)!;
  }

  #literal(code: number): Tree {
    const range: readonly [number, number] = [code, code];
    const ranges = this.#flags.ignoreCase ? foldRange(range) : [range];
    return { kind: "set", set: { ranges, properties: [], isNegated: false } };
  }

  #at(text: string): boolean {
    return this.#text.startsWith(text, this.#position);
  }

  #skip(text: string): boolean {
    if (!this.#at(text)) return false;
    this.#position += text.length;
    return true;
  }

  /** The character here, "" at the end. */
  #peek(): string {
    const code = this.#text.codePointAt(this.#position);
    return code === undefined ? "" : String.fromCodePoint(code);
  }

  #next(): string {
    const character = this.#peek();
    this.#position += character.length;
    return character;
  }
}

function complement(ranges: CharacterSet["ranges"]): (readonly [number, number])[] {
  const rest: (readonly [number, number])[] = [];
  let next = 0;
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > next) rest.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  if (next <= MAX_CODE_POINT) rest.push([next, MAX_CODE_POINT]);
  return rest;
}

/** A range and the other cases of its letters; beyond a few thousand characters only those of ASCII are looked for. */
function foldRange(range: readonly [number, number]): (readonly [number, number])[] {
  const folded: (readonly [number, number])[] = [range];
  const [low, high] = range;
  const end = high - low < 4096 ? high : Math.min(high, 0x7f);
  for (let code = low; code <= end; code++) {
    const character = String.fromCodePoint(code);
    for (const other of [character.toLowerCase(), character.toUpperCase()]) {
      const otherCode = other.codePointAt(0)!;
      if (otherCode !== code && other.length === String.fromCodePoint(otherCode).length) folded.push([otherCode, otherCode]);
    }
  }
  return folded;
}

/** General categories (`L`, `Lu`) and scripts (`Greek`), which are what Go knows. */
function unicodeProperty(name: string): RegExp | undefined {
  if (!/^[A-Z][A-Za-z_]*$/.test(name)) return undefined;
  if (name === "Any") return /^[\0-\u{10ffff}]$/u;
  for (const expression of [`^\\p{General_Category=${name}}$`, `^\\p{Script=${name}}$`]) {
    try {
      return new RegExp(expression, "u");
    } catch {
      continue; // Not of this kind: the engine has no other way to say so.
    }
  }
  return undefined;
}

function negatedProperty(property: RegExp): RegExp {
  return new RegExp(property.source.replace("\\p{", "\\P{"), "u");
}
