/**
 * Go templates (text/template), as patches of ClusterClasses use them: fields, variables, pipelines, if, range and with. What is
 * not known is refused, never printed as something else. Fields that are not there are an error (`missingkey=error`).
 */
import { isObject, type Json, type JsonObject } from "#std/json.ts";
import { GO_FUNCTIONS, isTruthy, printValue, templateFault } from "./go-functions.ts";
import { type Expression, type Node, parseTemplate } from "./go-parse.ts";

/** Characters that one template may print, and turns that its loops may take. */
const MOST = 1_000_000;

/** The text that the template prints. Fault `topology.template` for one that does not parse, or fails. */
export function renderTemplate(template: string, data: JsonObject): string {
  const printer = new Printer();
  run(parseTemplate(template), { dot: data, variables: new Map([["$", data]]) }, printer);
  return printer.text;
}

interface Scope {
  readonly dot: Json;
  readonly variables: Map<string, Json>;
}

class Printer {
  text = "";
  #turns = 0;

  print(text: string): void {
    this.text += text;
    if (this.text.length > MOST) throw templateFault("the template prints too much");
  }
  turn(): void {
    if (++this.#turns > MOST) throw templateFault("the template takes too long");
  }
}

function run(nodes: readonly Node[], scope: Scope, printer: Printer): void {
  for (const node of nodes) {
    printer.turn();
    switch (node.is) {
      case "text":
        printer.print(node.text);
        break;
      case "print":
        printer.print(textOf(evaluate(node.of, scope)));
        break;
      case "set":
        scope.variables.set(node.name, evaluate(node.of, scope));
        break;
      case "if":
        run(isTruthy(evaluate(node.of, scope)) ? node.body : node.otherwise, inner(scope, scope.dot), printer);
        break;
      case "with": {
        const value = evaluate(node.of, scope);
        if (isTruthy(value)) run(node.body, inner(scope, value), printer);
        else run(node.otherwise, inner(scope, scope.dot), printer);
        break;
      }
      case "range": {
        const entries = entriesOf(evaluate(node.of, scope));
        if (entries.length === 0) run(node.otherwise, inner(scope, scope.dot), printer);
        for (const [key, value] of entries) {
          const each = inner(scope, value);
          if (node.key !== undefined) each.variables.set(node.key, key);
          if (node.value !== undefined) each.variables.set(node.value, value);
          run(node.body, each, printer);
        }
      }
    }
  }
}

function inner({ variables }: Scope, dot: Json): Scope {
  return { dot, variables: new Map(variables) };
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : value === null ? "<no value>" : printValue(value);
}

function entriesOf(value: Json): [Json, Json][] {
  if (Array.isArray(value)) return value.map((item, i) => [i, item]);
  if (isObject(value))
    return Object.keys(value)
      .toSorted()
      .map((key) => [key, value[key]!]);
  if (value === null) return [];
  throw templateFault(`range over ${printValue(value)}`);
}

function evaluate(expression: Expression, scope: Scope): Json {
  switch (expression.is) {
    case "literal":
      return expression.value;
    case "field": {
      const root = expression.root === undefined ? scope.dot : variable(expression.root, scope);
      return expression.path.reduce<Json>((value, name) => fieldOf(value, name), root);
    }
    case "call": {
      const { name } = expression;
      const called = GO_FUNCTIONS.get(name);
      if (called === undefined) throw templateFault(`function "${name}" is not known`);
      // These look no further than they need to: what follows may not be there.
      if (name === "and" || name === "or") {
        let value: Json = null;
        for (const argument of expression.arguments) {
          value = evaluate(argument, scope);
          if (isTruthy(value) === (name === "or")) return value;
        }
        return value;
      }
      return called(...expression.arguments.map((argument) => evaluate(argument, scope)));
    }
  }
}

function variable(name: string, { variables }: Scope): Json {
  const value = variables.get(name);
  if (value === undefined) throw templateFault(`variable ${name} is not known`);
  return value;
}

function fieldOf(value: Json, name: string): Json {
  if (isObject(value) && Object.hasOwn(value, name)) return value[name]!;
  throw templateFault(`map has no entry for key "${name}"`);
}
