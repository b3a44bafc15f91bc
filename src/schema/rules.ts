/** Runs the rules of a description over a value, as the API server runs a schema's CEL: same paths, same texts, same ratcheting. */
import { equal, isObject, own } from "#std/json.ts";
import type { Field, Rule } from "./kit.ts";
import type { FieldError } from "./field.ts";
import { FieldPath, forbidden, invalid, invalidUnshown, required } from "./field.ts";
import { ArrayField, MapField, ObjectField } from "./kit.ts";

/** Whether a description has rules anywhere; most have not, and walking them would be for nothing. */
const guarded = new WeakMap<Field, boolean>();

function isGuarded(field: Field): boolean {
  const known = guarded.get(field);
  if (known !== undefined) return known;
  const found = field.rules.length > 0 || field.checks.length > 0 || childrenOf(field).some(isGuarded);
  guarded.set(field, found);
  return found;
}

function childrenOf(field: Field): Field[] {
  if (field instanceof ObjectField) return Object.values<Field>(field.fields);
  if (field instanceof ArrayField) return [field.item];
  if (field instanceof MapField) return [field.value];
  return [];
}

/** Whether a rule written for this field can look at the value; what is of the wrong type is the schema's to refuse. */
function fits(field: Field, value: unknown): boolean {
  switch (field.schema.type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "string":
      return typeof value === "string";
    case "integer":
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    default:
      return true;
  }
}

/**
 * The rules of `field` and of everything below it, on `value`. A part that equals its old self is not checked again (Kubernetes'
 * validation ratcheting): an object stored before a rule existed can still be changed elsewhere.
 * Items of lists find their old selves only where the list names its keys.
 */
export function checkRules(field: Field, value: unknown, old: unknown, path: FieldPath = FieldPath.root): FieldError[] {
  if (!isGuarded(field) || !fits(field, value) || (old !== undefined && equal(value, old))) return [];
  const errors = field.rules.filter((rule) => !rule.check(value, old)).map((rule) => violation(rule, value, path));
  for (const check of field.checks) errors.push(...check(value, path));
  if (field instanceof ObjectField && isObject(value)) {
    const before = isObject(old) ? old : {};
    for (const [name, child] of Object.entries<Field>(field.fields)) {
      const part = own(value, name);
      if (part !== undefined) errors.push(...checkRules(child, part, own(before, name), path.child(name)));
    }
  } else if (field instanceof MapField && isObject(value)) {
    const before = isObject(old) ? old : {};
    for (const key of Object.keys(value)) errors.push(...checkRules(field.value, value[key], own(before, key), path.key(key)));
  } else if (field instanceof ArrayField && Array.isArray(value)) {
    const find = correlate(field, old);
    value.forEach((item, i) => errors.push(...checkRules(field.item, item, find(item), path.index(i))));
  }
  return errors;
}

/** How an item finds its old self: by the keys of a list of type map, else not at all. */
function correlate(field: ArrayField, old: unknown): (item: unknown) => unknown {
  const keys = field.schema["x-kubernetes-list-map-keys"];
  if (keys === undefined || !Array.isArray(old)) return () => undefined;
  const identity = (item: unknown) => JSON.stringify(isObject(item) ? keys.map((key) => own(item, key) ?? null) : null);
  const byIdentity = new Map(old.map((item) => [identity(item), item]));
  return (item) => byIdentity.get(identity(item));
}

/** The error a server makes of a CEL rule that does not hold: scalars are shown, objects and lists are not. */
function violation(rule: Rule<unknown>, value: unknown, path: FieldPath): FieldError {
  const at = (rule.path ?? "").split(".").reduce((parent, name) => (name === "" ? parent : parent.child(name)), path);
  if (rule.reason === "FieldValueRequired") return required(at, rule.message);
  if (rule.reason === "FieldValueForbidden") return forbidden(at, rule.message);
  if (typeof value === "object") return invalidUnshown(at, rule.message);
  return invalid(at, value, rule.message);
}
