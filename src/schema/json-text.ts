/**
 * The slow, talkative reader of JSON text (RFC 8259): run only on texts that are faulty or hold a field twice, to say what and
 * where. The words are those of Go's `encoding/json`.
 */
import { quoteCharacter } from "./quote.ts";

const DUPLICATE_LIMIT = 100;

/** What is wrong with a text; undefined when nothing is. Go reads bytes and names the one it stumbled over, so bytes it is. */
export function syntaxProblem(bytes: Uint8Array): string | undefined {
  let text = "";
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return new Reader(text).read();
}

/** Paths of the fields a valid text gives more than once. */
export function duplicateFields(text: string): string[] {
  const reader = new Reader(text);
  reader.read();
  return [...reader.duplicates];
}

class JsonProblem extends Error {}

interface Frame {
  /** Keys seen, for an object; undefined for an array. */
  readonly keys: Set<string> | undefined;
  readonly path: string;
  index: number;
}

/** Iterative, so that depth costs memory only. */
class Reader {
  readonly duplicates = new Set<string>();
  readonly #text: string;
  readonly #frames: Frame[] = [];
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): string | undefined {
    try {
      this.#value("");
      while (this.#frames.length > 0) this.#continue(this.#frames.at(-1)!);
      this.#blank();
      if (this.#position < this.#text.length) this.#fail("after top-level value");
      return undefined;
    } catch (error) {
      if (error instanceof JsonProblem) return error.message;
      throw error;
    }
  }

  /** A scalar, or the opening of a container, whose frame is then on top. */
  #value(path: string): void {
    this.#blank();
    const character = this.#text[this.#position];
    switch (character) {
      case "{":
      case "[":
        this.#position++;
        this.#frames.push({ keys: character === "{" ? new Set() : undefined, path, index: 0 });
        return;
      case '"':
        this.#string();
        return;
      case "t":
        return this.#literal("true");
      case "f":
        return this.#literal("false");
      case "n":
        return this.#literal("null");
      default:
        if (character !== undefined && /[-0-9]/.test(character)) this.#number();
        else this.#fail("looking for beginning of value");
    }
  }

  /** What follows inside the innermost container: its end, or a separator and the next value. */
  #continue(frame: Frame): void {
    this.#blank();
    const close = frame.keys === undefined ? "]" : "}";
    if (this.#skip(close)) {
      this.#frames.pop();
      return;
    }
    if (frame.index > 0 && !this.#skip(","))
      this.#fail(frame.keys === undefined ? "after array element" : "after object key:value pair");
    const index = frame.index++;
    if (frame.keys === undefined) return this.#value(`${frame.path}[${index}]`);

    this.#blank();
    if (this.#text[this.#position] !== '"') this.#fail("looking for beginning of object key string");
    const start = this.#position;
    this.#string();
    const key = String(JSON.parse(this.#text.slice(start, this.#position)));
    const path = frame.path === "" ? key : `${frame.path}.${key}`;
    if (frame.keys.has(key) && this.duplicates.size < DUPLICATE_LIMIT) this.duplicates.add(path);
    frame.keys.add(key);
    this.#blank();
    if (!this.#skip(":")) this.#fail("after object key");
    this.#value(path);
  }

  #string(): void {
    for (this.#position++; ; this.#position++) {
      const character = this.#text[this.#position];
      if (character === '"') break;
      if (character === undefined || character < " ") this.#fail("in string literal");
      if (character === "\\") this.#escape();
    }
    this.#position++;
  }

  #escape(): void {
    this.#position++;
    const character = this.#text[this.#position];
    if (character === undefined || !'"\\/bfnrtu'.includes(character)) this.#fail("in string escape code", " ");
    if (character !== "u") return;
    for (let i = 0; i < 4; i++) {
      this.#position++;
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.#position] ?? "")) this.#fail("in \\u hexadecimal character escape", " ");
    }
  }

  #literal(word: string): void {
    for (const [i, expected] of [...word].entries()) {
      if (i > 0 && this.#text[this.#position] !== expected) this.#fail(`in literal ${word} (expecting '${expected}')`, " ");
      this.#position++;
    }
  }

  #number(): void {
    this.#skip("-");
    if (!this.#skip("0")) this.#digits("in numeric literal");
    if (this.#skip(".")) this.#digits("after decimal point in numeric literal");
    if (!this.#skip("e") && !this.#skip("E")) return;
    if (!this.#skip("+")) this.#skip("-");
    this.#digits("in exponent of numeric literal");
  }

  /** One or more. */
  #digits(context: string): void {
    if (!this.#isDigit()) this.#fail(context, " ");
    while (this.#isDigit()) this.#position++;
  }

  #isDigit(): boolean {
    const unit = this.#text.charCodeAt(this.#position);
    return unit >= 0x30 && unit <= 0x39;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#position] !== character) return false;
    this.#position++;
    return true;
  }

  #blank(): void {
    while (" \t\r\n".includes(this.#text[this.#position] ?? "x")) this.#position++;
  }

  /** Inside a word Go takes the end of the text for a blank, elsewhere for what it is. */
  #fail(context: string, atEnd?: " "): never {
    const character = this.#text[this.#position] ?? atEnd;
    if (character === undefined) throw new JsonProblem("unexpected end of JSON input");
    throw new JsonProblem(`invalid character ${quoteCharacter(character)} ${context}`);
  }
}
