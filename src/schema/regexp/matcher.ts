/**
 * Matching in linear time: an expression becomes a non-deterministic automaton (Thompson), whose sets of states are remembered
 * as they turn up (a lazily built deterministic one). No input makes it backtrack, so patterns of foreign CRDs are safe to run
 * on the thread that answers DHCP. This is how RE2 itself does it.
 */
import type { Assertion, CharacterSet, Tree } from "./syntax.ts";
import { parsePattern, PatternProblem } from "./syntax.ts";

/** True when the expression is found anywhere in the text. */
export type Matcher = (text: string) => boolean;

/** Instructions of one expression; counted repetitions are written out. Go's own limit is larger, no real pattern comes near. */
const PROGRAM_LIMIT = 20_000;
/** Remembered states and transitions; beyond it everything is forgotten and built anew. */
const STATE_LIMIT = 1000;
const TRANSITION_LIMIT = 20_000;
/** Instructions looked at for one text; what takes more counts as not matching. Some hundred milliseconds. */
const WORK_LIMIT = 10_000_000;

/** A matcher; one of a faulty expression matches nothing. */
export function compilePattern(text: string): Matcher {
  let automaton: Automaton | undefined;
  let isFaulty = false;
  return (subject) => {
    if (automaton === undefined && !isFaulty) {
      const program = programOf(text);
      if (typeof program === "string") isFaulty = true;
      else automaton = new Automaton(program);
    }
    return automaton !== undefined && automaton.matches(subject);
  };
}

/** Go's message for an expression it would not compile: ``error parsing regexp: missing closing ]: `[a` ``. */
export function patternProblem(text: string): string | undefined {
  const program = programOf(text);
  return typeof program === "string" ? program : undefined;
}

type Instruction =
  | { readonly do: "match" }
  | { readonly do: "set"; readonly has: (code: number) => boolean; readonly to: number }
  | { readonly do: "assert"; readonly assertion: Assertion; readonly to: number }
  | { readonly do: "split"; readonly to: readonly number[] };

interface Program {
  readonly instructions: readonly Instruction[];
  readonly start: number;
}

function programOf(text: string): Program | string {
  try {
    const builder = new Builder(text);
    const match = builder.add({ do: "match" });
    const start = builder.build(parsePattern(text), match);
    return { instructions: builder.instructions, start };
  } catch (error) {
    if (error instanceof PatternProblem) return `error parsing regexp: ${error.message}`;
    throw error;
  }
}

/** From the end backwards: each part is built knowing where it continues. */
class Builder {
  readonly instructions: Instruction[] = [];
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  add(instruction: Instruction): number {
    if (this.instructions.length >= PROGRAM_LIMIT) throw new PatternProblem(`expression too large: \`${this.#text}\``);
    return this.instructions.push(instruction) - 1;
  }

  build(tree: Tree, to: number): number {
    switch (tree.kind) {
      case "empty":
        return to;
      case "set":
        return this.add({ do: "set", has: membership(tree.set), to });
      case "assert":
        return this.add({ do: "assert", assertion: tree.assertion, to });
      case "sequence":
        return tree.parts.reduceRight((next, part) => this.build(part, next), to);
      case "choice":
        return this.add({ do: "split", to: tree.parts.map((part) => this.build(part, to)) });
      case "repeat":
        return this.#repeat(tree.part, tree.min, tree.max, to);
    }
  }

  #repeat(part: Tree, min: number, max: number, to: number): number {
    let next = to;
    if (max === Number.POSITIVE_INFINITY) {
      const ways: number[] = [];
      next = this.add({ do: "split", to: ways });
      ways.push(this.build(part, next), to);
    } else {
      for (let i = min; i < max; i++) next = this.add({ do: "split", to: [this.build(part, next), to] });
    }
    for (let i = 0; i < min; i++) next = this.build(part, next);
    return next;
  }
}

function membership({ ranges, properties, isNegated }: CharacterSet): (code: number) => boolean {
  return (code) => {
    for (const [low, high] of ranges) if (code >= low && code <= high) return !isNegated;
    for (const property of properties) if (property.test(String.fromCodePoint(code))) return !isNegated;
    return isNegated;
  };
}

/** What stands beside a position, as far as assertions ask. */
type Neighbour = "none" | "newline" | "word" | "other";

function neighbour(code: number): Neighbour {
  if (code === 0x0a) return "newline";
  const isWord =
    (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || (code >= 0x61 && code <= 0x7a);
  return isWord ? "word" : "other";
}

function holds(assertion: Assertion, before: Neighbour, after: Neighbour): boolean {
  switch (assertion) {
    case "text-start":
      return before === "none";
    case "text-end":
      return after === "none";
    case "line-start":
      return before === "none" || before === "newline";
    case "line-end":
      return after === "none" || after === "newline";
    case "word":
      return (before === "word") !== (after === "word");
    case "no-word":
      return (before === "word") === (after === "word");
  }
}

/** A set of instructions to go on from. */
interface State {
  readonly at: readonly number[];
  readonly before: Neighbour;
  /** Transitions known so far, by code point. */
  readonly next: Map<number, State>;
  atEnd: boolean | undefined;
}

const MATCHED: State = { at: [], before: "none", next: new Map(), atEnd: true };

class Automaton {
  readonly #program: Program;
  #states = new Map<string, State>();
  #start: State;
  #transitions = 0;
  #work = 0;

  constructor(program: Program) {
    this.#program = program;
    this.#start = this.#state([program.start], "none");
  }

  matches(text: string): boolean {
    this.#work = 0;
    let state = this.#start;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i)!;
      if (code > 0xffff) i++;
      state = state.next.get(code) ?? this.#step(state, code);
      if (state === MATCHED) return true;
      if (this.#work > WORK_LIMIT) return false;
    }
    state.atEnd ??= this.#reachable(state, "none").hasMatch;
    return state.atEnd;
  }

  #step(state: State, code: number): State {
    const { sets, hasMatch } = this.#reachable(state, neighbour(code));
    let next = MATCHED;
    if (!hasMatch) {
      const at = new Set<number>();
      for (const set of sets) if (set.has(code)) at.add(set.to);
      // The expression may begin at any character.
      at.add(this.#program.start);
      next = this.#state(
        [...at].toSorted((a, b) => a - b),
        neighbour(code),
      );
    }
    if (++this.#transitions > TRANSITION_LIMIT) this.#forget();
    state.next.set(code, next);
    return next;
  }

  #state(at: readonly number[], before: Neighbour): State {
    const key = `${before} ${at.join()}`;
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    if (this.#states.size >= STATE_LIMIT) this.#forget();
    const state: State = { at, before, next: new Map(), atEnd: undefined };
    this.#states.set(key, state);
    return state;
  }

  #forget(): void {
    this.#states = new Map();
    this.#transitions = 0;
    this.#start = { at: [this.#program.start], before: "none", next: new Map(), atEnd: undefined };
  }

  /** The character sets that can be tried next, following splits and the assertions that hold here. */
  #reachable(state: State, after: Neighbour): { sets: { has: (code: number) => boolean; to: number }[]; hasMatch: boolean } {
    const sets: { has: (code: number) => boolean; to: number }[] = [];
    const seen = new Set<number>(state.at);
    let hasMatch = false;
    for (const at of seen) {
      this.#work++;
      const instruction = this.#program.instructions[at]!;
      if (instruction.do === "match") hasMatch = true;
      else if (instruction.do === "set") sets.push(instruction);
      else if (instruction.do === "split") for (const to of instruction.to) seen.add(to);
      else if (holds(instruction.assertion, state.before, after)) seen.add(instruction.to);
    }
    return { sets, hasMatch };
  }
}
