/** Values of a topology's variables: what is set, else what the class says when nothing is (§1.9). */
import type { ClassVariable } from "#kinds/cluster/v1beta2/cluster-class.ts";
import type { ClusterVariable } from "#kinds/cluster/v1beta2/topology.ts";
import { applyDefaults } from "#schema/default.ts";
import { printFieldError } from "#schema/field.ts";
import type { Schema } from "#schema/structural.ts";
import { validate } from "#schema/validate.ts";
import { clone, isObject, type Json, type JsonObject } from "#std/json.ts";

export interface Variables {
  readonly values: JsonObject;
  readonly problems: readonly string[];
}

export function resolveVariables(definitions: readonly ClassVariable[], set: readonly ClusterVariable[]): Variables {
  const problems: string[] = [];
  const values: JsonObject = {};
  for (const definition of definitions) {
    const given = set.find(({ name }) => name === definition.name);
    const value = judged(definition, given?.value, problems);
    if (value !== undefined) values[definition.name] = value;
  }
  for (const { name } of set)
    if (!definitions.some((definition) => definition.name === name))
      problems.push(`variable ${name} is not defined by the class`);
  return { values, problems };
}

/** The value with what its schema defaults. */
function judged({ name, required, schema }: ClassVariable, given: Json | undefined, problems: string[]): Json | undefined {
  const shape = schema.openAPIV3Schema;
  if (!isObject(shape)) {
    problems.push(`variable ${name} has no schema`);
    return undefined;
  }
  try {
    const wrapped: Schema = { type: "object", properties: { [name]: withoutMetadata(shape) } };
    const object: JsonObject = given === undefined ? {} : { [name]: clone(given) };
    applyDefaults(object, wrapped);
    if (object[name] === undefined) {
      if (required) problems.push(`variable ${name} is required`);
      return undefined;
    }
    problems.push(...validate(object, wrapped).map((error) => `variable ${printFieldError(error)}`));
    return object[name];
  } catch (error) {
    problems.push(`variable ${name} has a schema that cannot be used: ${(error as Error).message}`);
    return undefined;
  }
}

/** What is for other tools, and no part of a schema. */
function withoutMetadata(schema: JsonObject): JsonObject {
  const { "x-metadata": _metadata, example: _example, ...rest } = schema;
  const properties = rest["properties"];
  if (!isObject(properties)) return rest;
  const inner = Object.entries(properties).map(
    ([key, value]) => [key, isObject(value) ? withoutMetadata(value) : value] as const,
  );
  return { ...rest, properties: Object.fromEntries(inner) };
}

/** Those of the cluster, with what one set of machines has in their place. */
export function overridden(set: readonly ClusterVariable[], overrides: readonly ClusterVariable[] = []): ClusterVariable[] {
  return [...set.filter(({ name }) => !overrides.some((override) => override.name === name)), ...overrides];
}

/** `name`, `name.field[0].more`; undefined when there is no such value. */
export function valueAt(values: JsonObject, path: string): Json | undefined {
  const steps = path.match(/[^.[\]]+|\[\d+\]/g) ?? [];
  let value: Json | undefined = values;
  for (const step of steps) {
    if (step.startsWith("[")) value = Array.isArray(value) ? value[Number(step.slice(1, -1))] : undefined;
    else value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}
