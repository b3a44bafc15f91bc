/** What metadata may hold (k8s.io/apimachinery `api/validation/objectmeta.go`), with its messages and their order. */
import { equal } from "#std/json.ts";
import { utf8Length } from "#std/utf8.ts";
import type { Definition } from "./definition.ts";
import type { FieldError, FieldPath } from "./field.ts";
import { forbidden, invalid, required, tooLong } from "./field.ts";
import type { ObjectMeta, OwnerReference } from "./meta.ts";
import { parseApiVersion } from "./meta.ts";
import { labelKey, labelName, labelValue, maskTrailingDash, pathSegmentName, subdomainName } from "./names.ts";
import { quote } from "./quote.ts";

const ANNOTATIONS_LIMIT = 256 * 1024;

/** What the rules need to know of a kind. */
export type MetaRules = Pick<Definition, "namespaced" | "custom" | "strategy">;

/**
 * Metadata of an object that is about to be created, its name generated: the kind's own name rule first, and only when that
 * finds nothing the rule for every kind, so that the specific message is the one shown.
 */
export function validateMetaForCreate(meta: ObjectMeta, rules: MetaRules, path: FieldPath): FieldError[] {
  const nameProblems = rules.strategy.nameMessage ?? subdomainName;
  const specific = validateObjectMeta(meta, rules.namespaced, nameProblems, path);
  return specific.length > 0 ? specific : validateObjectMeta(meta, rules.namespaced, pathSegmentName, path);
}

/**
 * Metadata of an object that replaces `old`: the common rules, then the kind's own. A genuine server does both and reports what
 * both find twice; custom resources do not have their name judged again.
 */
export function validateMetaForUpdate(meta: ObjectMeta, old: ObjectMeta, rules: MetaRules, path: FieldPath): FieldError[] {
  const common = validateObjectMeta(meta, rules.namespaced, pathSegmentName, path);
  const update = validateObjectMetaUpdate(meta, old, path);
  if (rules.custom) return [...common, ...update, ...update];
  const specific = validateObjectMeta(meta, rules.namespaced, rules.strategy.nameMessage ?? subdomainName, path);
  return [...common, ...update, ...specific, ...update];
}

type NameProblems = (name: string) => string[];

/** The rules that need no older state. */
function validateObjectMeta(meta: ObjectMeta, namespaced: boolean, nameProblems: NameProblems, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { generateName = "", name = "", namespace = "" } = meta;
  if (generateName !== "") {
    const problems =
      nameProblems === pathSegmentName ? generateProblems(generateName) : nameProblems(maskTrailingDash(generateName));
    for (const problem of problems) errors.push(invalid(path.child("generateName"), generateName, problem));
  }
  if (name === "") errors.push(required(path.child("name"), "name or generateName is required"));
  else for (const problem of nameProblems(name)) errors.push(invalid(path.child("name"), name, problem));

  if (!namespaced) {
    if (namespace !== "") errors.push(forbidden(path.child("namespace"), "not allowed on this type"));
  } else if (namespace === "") {
    errors.push(required(path.child("namespace")));
  } else {
    for (const problem of labelName(namespace)) errors.push(invalid(path.child("namespace"), namespace, problem));
  }
  if ((meta.generation ?? 0) < 0) {
    errors.push(invalid(path.child("generation"), meta.generation, "must be greater than or equal to 0"));
  }
  validateLabels(meta.labels ?? {}, path.child("labels"), errors);
  validateAnnotations(meta.annotations ?? {}, path.child("annotations"), errors);
  validateOwners(meta.ownerReferences ?? [], path.child("ownerReferences"), errors);
  validateFinalizers(meta.finalizers ?? [], path.child("finalizers"), errors);
  return errors;
}

/** The rules that compare with the stored state: what is immutable, and no new finalizers on the way out. */
function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  if (old.deletionTimestamp !== undefined) {
    const extra = [...new Set(meta.finalizers)].filter((finalizer) => !old.finalizers?.includes(finalizer)).toSorted();
    if (extra.length > 0) {
      const list = `[]string{${extra.map(quote).join(", ")}}`;
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${list}`;
      errors.push(forbidden(path.child("finalizers"), detail));
    }
  }
  if ((meta.resourceVersion ?? "") === "") {
    errors.push(invalid(path.child("resourceVersion"), "", "must be specified for an update"));
  }
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    errors.push(invalid(path.child("generation"), meta.generation ?? 0, "must not be decremented"));
  }
  for (const name of ["name", "namespace", "uid"] as const)
    immutable(meta[name] ?? "", old[name] ?? "", path.child(name), errors);
  for (const name of ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const) {
    immutable(meta[name] ?? null, old[name] ?? null, path.child(name), errors);
  }
  validateLabels(meta.labels ?? {}, path.child("labels"), errors);
  validateAnnotations(meta.annotations ?? {}, path.child("annotations"), errors);
  validateOwners(meta.ownerReferences ?? [], path.child("ownerReferences"), errors);
  return errors;
}

function immutable(value: unknown, old: unknown, path: FieldPath, errors: FieldError[]): void {
  if (!equal(value, old)) errors.push(invalid(path, value, "field is immutable"));
}

/** {@link pathSegmentName} without its exact matches: what is appended makes `.` and `..` harmless. */
function generateProblems(prefix: string): string[] {
  return pathSegmentName(`${prefix}x`);
}

/** Labels of metadata, and wherever else labels are written (selectors' matchLabels, templates). */
export function validateLabels(labels: Readonly<Record<string, string>>, path: FieldPath, errors: FieldError[]): void {
  for (const key of Object.keys(labels)) {
    for (const problem of labelKey(key)) errors.push(invalid(path, key, problem));
    for (const problem of labelValue(labels[key]!)) errors.push(invalid(path, labels[key], problem));
  }
}

function validateAnnotations(annotations: Readonly<Record<string, string>>, path: FieldPath, errors: FieldError[]): void {
  let size = 0;
  for (const key of Object.keys(annotations)) {
    for (const problem of labelKey(key.toLowerCase())) errors.push(invalid(path, key, problem));
    size += utf8Length(key) + utf8Length(annotations[key]!);
  }
  if (size > ANNOTATIONS_LIMIT) errors.push(tooLong(path, ANNOTATIONS_LIMIT));
}

function validateOwners(owners: readonly OwnerReference[], path: FieldPath, errors: FieldError[]): void {
  let controller: string | undefined;
  for (const owner of owners) {
    if ((parseApiVersion(owner.apiVersion ?? "")?.version ?? "") === "")
      errors.push(invalid(path.child("apiVersion"), owner.apiVersion ?? "", "version must not be empty"));
    for (const field of ["kind", "name", "uid"] as const) {
      if ((owner[field] ?? "") === "") errors.push(invalid(path.child(field), owner[field] ?? "", "must not be empty"));
    }
    if (owner.apiVersion === "v1" && owner.kind === "Event") {
      errors.push(invalidOwner(path, printOwner(owner), "/v1, Kind=Event is disallowed from being an owner"));
    }
    if (owner.controller !== true) continue;
    const current = `${owner.kind}/${owner.name}`;
    if (controller === undefined) {
      controller = current;
    } else {
      const rule = "Only one reference can have Controller set to true";
      const detail = `${rule}. Found "true" in references for ${controller} and ${current}`;
      errors.push(invalidOwner(path, `[${owners.map(printOwner).join(",")}]`, detail));
    }
  }
}

function invalidOwner(path: FieldPath, printed: string, detail: string): FieldError {
  return { type: "FieldValueInvalid", field: String(path), body: `Invalid value: ${printed}: ${detail}` };
}

/** An owner is printed in the order of Go's struct, not sorted like other values. */
function printOwner(owner: OwnerReference): string {
  const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = owner;
  return JSON.stringify({ apiVersion, kind, name, uid, controller, blockOwnerDeletion });
}

function validateFinalizers(finalizers: readonly string[], path: FieldPath, errors: FieldError[]): void {
  for (const finalizer of finalizers) for (const problem of labelKey(finalizer)) errors.push(invalid(path, finalizer, problem));
  if (finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    errors.push(invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"));
  }
}
