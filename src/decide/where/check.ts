/** What is wrong with an expression can be seen before it runs: names that are not there, and comparisons of what cannot be compared. */
import type { parse } from "@bufbuild/cel";
import { PRESENT, RESULTS } from "./function.ts";
import { BOOL, DOUBLE, DYN, INT, show, STRING, type Type } from "./type.ts";

export type Parsed = ReturnType<typeof parse>;
export type Expression = Parsed["expr"];

export interface Problem {
  /** Of the expression, to tell where it is. */
  readonly id: bigint;
  readonly text: string;
}

export interface Checked {
  readonly type: Type;
  readonly problems: readonly Problem[];
  /** What it needs of the variables: those that it names, with those fields alone that it can get at. */
  readonly needed: ReadonlyMap<string, Type>;
  /** Nodes of it, and how many loops are inside one another. */
  readonly nodes: number;
  readonly loops: number;
  /** Operators that may make one list of two. */
  readonly joins: number;
  /** Items of the longest list that is written out in it. */
  readonly literal: number;
}

type Scope = ReadonlyMap<string, Type>;

const CONSTANTS: Readonly<Record<string, Type>> = {
  boolValue: BOOL,
  int64Value: INT,
  uint64Value: INT,
  doubleValue: DOUBLE,
  stringValue: STRING,
  bytesValue: { kind: "bytes" },
  nullValue: { kind: "null" },
};
const NAMES: Readonly<Record<string, string>> = { "_&&_": "&&", "_||_": "||", "!_": "!", "-_": "-" };
const COMPARISONS = /^_(==|!=|<|<=|>|>=)_$/;
const ARITHMETIC = /^_([+\-*/%])_$/;

/** `variables`: what there is outside. Rewrites `has()` on hardware, which has everything, into whether anything is known. */
export function check(root: Expression, variables: Scope): Checked {
  const problems: Problem[] = [];
  const used = new Set<string>();
  const fields = new Set<string>();
  /** What cannot be followed may be anything: all fields are needed then. */
  let isOpaque = false;
  const count = { nodes: 0, loops: 0, joins: 0, literal: 0 };

  const visit = (node: Expression | undefined, scope: Scope, loops: number): Type => {
    if (node === undefined) return DYN;
    count.nodes++;
    count.loops = Math.max(count.loops, loops);
    const wrong = (text: string): Type => {
      problems.push({ id: node.id, text });
      return DYN;
    };
    const { case: kind, value } = node.exprKind;
    switch (kind) {
      case "constExpr":
        return CONSTANTS[value.constantKind.case ?? ""] ?? DYN;
      case "identExpr": {
        const type = scope.get(value.name);
        if (type === undefined) return wrong(`there is no ${value.name}; there are ${[...variables.keys()].join(", ")}`);
        if (variables.get(value.name) === type) used.add(value.name);
        return type;
      }
      case "selectExpr": {
        const { operand, field, testOnly } = value;
        const of = visit(operand, scope, loops);
        if (of.kind === "object") {
          const type = of.fields.get(field);
          fields.add(`${of.name}.${field}`);
          if (testOnly && holdsObject(type)) isOpaque = true;
          if (type === undefined) return wrong(`${of.name} has no ${field}; it has ${[...of.fields.keys()].join(", ")}`);
          if (testOnly) becomePresent(node);
          return testOnly ? BOOL : type;
        }
        if (of.kind === "dyn") isOpaque = true;
        if (of.kind !== "map" && of.kind !== "dyn") return wrong(`a ${show(of)} has no ${field}`);
        if (testOnly) return BOOL;
        return of.kind === "map" ? of.value : DYN;
      }
      case "callExpr": {
        const given = [...(value.target === undefined ? [] : [value.target]), ...value.args];
        const types = given.map((each) => visit(each, scope, loops));
        if (value.function === "_+_") count.joins++;
        if (!WHOLE.has(value.function) && types.some(holdsObject)) isOpaque = true;
        return call(value.function, types, wrong);
      }
      case "listExpr": {
        const types = value.elements.map((each) => visit(each, scope, loops));
        count.literal = Math.max(count.literal, types.length);
        const [first = DYN] = types;
        return { kind: "list", item: types.every((type) => show(type) === show(first)) ? first : DYN };
      }
      case "structExpr":
        if (value.messageName !== "") return wrong(`there is no type ${value.messageName}`);
        for (const entry of value.entries) visit(entry.value, scope, loops);
        return { kind: "map", value: DYN };
      case "comprehensionExpr": {
        const range = visit(value.iterRange, scope, loops);
        const item = range.kind === "list" ? range.item : range.kind === "map" ? STRING : DYN;
        if (range.kind !== "list" && range.kind !== "map" && range.kind !== "dyn") {
          problems.push({ id: value.iterRange?.id ?? node.id, text: `a ${show(range)} has no items` });
        }
        const start = visit(value.accuInit, scope, loops);
        const inner = new Map(scope).set(value.iterVar, item).set(value.accuVar, start);
        if (value.iterVar2 !== "") inner.set(value.iterVar, INT).set(value.iterVar2, item);
        visit(value.loopCondition, inner, loops + 1);
        const step = visit(value.loopStep, inner, loops + 1);
        return visit(value.result, new Map(inner).set(value.accuVar, step), loops);
      }
      default:
        return wrong("it is incomplete");
    }
  };
  const type = visit(root, variables, 0);
  const needed = [...variables].filter(([name]) => used.has(name));
  return {
    type,
    problems,
    needed: new Map(needed.map(([name, all]) => [name, isOpaque ? all : narrowed(all, fields)])),
    ...count,
  };
}

/** Functions and operators that look at no fields of what they are given. */
const WHOLE: ReadonlySet<string> = new Set(["size", "_[_]", "_+_", "_?_:_"]);

/** Also in a list: a comparison looks at all of it. */
function holdsObject(type: Type | undefined): boolean {
  if (type?.kind === "list") return holdsObject(type.item);
  return type?.kind === "object" || type?.kind === "dyn";
}

/** The type with those fields alone whose full names are in `fields`. */
function narrowed(type: Type, fields: ReadonlySet<string>): Type {
  if (type.kind === "list") return { kind: "list", item: narrowed(type.item, fields) };
  if (type.kind !== "object") return type;
  const kept = [...type.fields].filter(([field]) => fields.has(`${type.name}.${field}`));
  return { ...type, fields: new Map(kept.map(([field, inner]) => [field, narrowed(inner, fields)])) };
}

function call(name: string, types: readonly Type[], wrong: (text: string) => Type): Type {
  const [a = DYN, b = DYN, c = DYN] = types;
  const comparison = COMPARISONS.exec(name)?.[1];
  if (comparison !== undefined) return isComparable(a, b) ? BOOL : wrong(`${comparison} compares ${show(a)} with ${show(b)}`);
  const operator = ARITHMETIC.exec(name)?.[1];
  if (operator !== undefined) {
    if (a.kind === "dyn" || b.kind === "dyn") return a.kind === "dyn" ? b : a;
    if (a.kind === "list" && b.kind === "list" && operator === "+")
      return show(a) === show(b) ? a : { kind: "list", item: a.item.kind === "dyn" ? b.item : DYN };
    const isNumber = a.kind === "int" || a.kind === "double";
    if (a.kind === b.kind && (isNumber || (a.kind === "string" && operator === "+"))) return a;
    return wrong(`${operator} does not go with ${show(a)} and ${show(b)}`);
  }
  switch (name) {
    case "_&&_":
    case "_||_":
    case "!_":
    case "@not_strictly_false": {
      const other = types.find(({ kind }) => kind !== "bool" && kind !== "dyn");
      return other === undefined ? BOOL : wrong(`${NAMES[name] ?? "a condition"} needs bool, and has ${show(other)}`);
    }
    case "-_":
      return a.kind === "int" || a.kind === "double" || a.kind === "dyn" ? a : wrong(`- does not go with ${show(a)}`);
    case "_?_:_":
      if (a.kind !== "bool" && a.kind !== "dyn") return wrong(`?: needs bool, and has ${show(a)}`);
      return show(b) === show(c) ? b : DYN;
    case "_[_]":
      return index(a, b, wrong);
    case "@in":
      if (b.kind === "list" || b.kind === "map") {
        const item = b.kind === "list" ? b.item : STRING;
        return isComparable(a, item) ? BOOL : wrong(`in looks for ${show(a)} in ${show(b)}`);
      }
      return b.kind === "dyn" ? BOOL : wrong(`in needs a list or a map, and has ${show(b)}`);
    default: {
      const result = RESULTS.get(name);
      return result ?? wrong(`there is no function ${name}; there are ${[...RESULTS.keys()].join(", ")}`);
    }
  }
}

function index(of: Type, by: Type, wrong: (text: string) => Type): Type {
  if (of.kind === "dyn") return DYN;
  if (of.kind === "list") return by.kind === "int" || by.kind === "dyn" ? of.item : wrong(`a list has no item ${show(by)}`);
  if (of.kind === "map") return by.kind === "string" || by.kind === "dyn" ? of.value : wrong(`a map has no key ${show(by)}`);
  return wrong(`a ${show(of)} has no items`);
}

/** Numbers compare with one another; null with nothing here. */
function isComparable(a: Type, b: Type): boolean {
  const kinds = [a.kind, b.kind];
  if (kinds.includes("dyn")) return true;
  if (a.kind === "list" && b.kind === "list") return isComparable(a.item, b.item);
  const family = (kind: string): string => (kind === "double" ? "int" : kind);
  return family(a.kind) === family(b.kind);
}

function becomePresent(node: Expression): void {
  if (node.exprKind.case !== "selectExpr") return;
  const select = { ...node, exprKind: { ...node.exprKind, value: { ...node.exprKind.value, testOnly: false } } };
  const value = { $typeName: "cel.expr.Expr.Call", function: PRESENT, args: [select], target: undefined } as const;
  node.exprKind = { case: "callExpr", value: value as unknown as Extract<Expression["exprKind"], { case: "callExpr" }>["value"] };
}
