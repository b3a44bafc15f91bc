/**
 * Judges CustomResourceDefinitions (apiextensions-apiserver `apis/apiextensions/validation`), with its messages and its paths:
 * what all versions share is reported under `spec.validation`, `spec.subresources` and so on, as the genuine server's internal
 * form has it. What needs CEL is not judged.
 */
import { equal } from "#std/json.ts";
import type { CrdNames, CrdVersion } from "#schema/crd.ts";
import type { FieldError } from "#schema/field.ts";
import { duplicate, FieldPath, invalid, notSupported, required, tooMany } from "#schema/field.ts";
import { fieldNames } from "#schema/json-path.ts";
import type { KubeObject } from "#schema/meta.ts";
import { label1035Name, subdomainName } from "#schema/names.ts";
import type { ScaleSubresource, Schema } from "#schema/structural.ts";
import { checkStructural } from "#schema/structural-check.ts";
import { validateConversion } from "./crd-conversion.ts";
import type { Conversion } from "./crd-conversion.ts";

/** As it is read: nothing about it is certain yet. */
export interface CustomResourceDefinition extends KubeObject {
  spec: {
    group: string;
    names: CrdNames;
    scope: string;
    versions: CrdVersion[] | null;
    conversion?: Conversion;
    preserveUnknownFields?: boolean;
  };
  status: {
    conditions?: { type: string; status: string; lastTransitionTime: string | null; reason?: string; message?: string }[] | null;
    acceptedNames?: CrdNames;
    storedVersions?: string[] | null;
  };
}

const MAX_SELECTABLE_FIELDS = 8;
const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

/** Everything wrong with a definition; `old` is the one it replaces. It must have been read and defaulted. */
export function validateCrd(crd: CustomResourceDefinition, old: CustomResourceDefinition | undefined): FieldError[] {
  const { metadata, spec, status } = crd;
  const errors: FieldError[] = [];
  const versions = spec.versions ?? [];
  if (old === undefined && metadata.name !== `${spec.names.plural}.${spec.group}`) {
    errors.push(invalid(FieldPath.of("metadata", "name"), metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  const path = FieldPath.of("spec");
  checkGroup(spec.group, path.child("group"), errors);
  checkScope(spec.scope, path.child("scope"), errors);
  checkVersions(spec.versions, path, errors);
  checkNames(spec.names, path.child("names"), errors, true);
  if (spec.conversion !== undefined) errors.push(...validateConversion(spec.conversion, path.child("conversion")));
  if (old !== undefined) checkImmutable(crd, old, path, errors);
  checkNames(status.acceptedNames ?? { plural: "", kind: "" }, FieldPath.of("status", "acceptedNames"), errors, false);
  checkStoredVersions(status.storedVersions ?? [], versions, FieldPath.of("status", "storedVersions"), errors);
  if (spec.preserveUnknownFields === true && old?.spec.preserveUnknownFields !== true) {
    const detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
    errors.push(invalid(path.child("preserveUnknownFields"), true, detail));
  }
  checkApproval(crd, old, errors);
  return errors;
}

function checkGroup(group: string, path: FieldPath, errors: FieldError[]): void {
  const problems = group === "" ? [] : subdomainName(group);
  if (group === "") errors.push(required(path));
  else if (problems.length > 0) errors.push(invalid(path, group, problems.join(",")));
  else if (!group.includes(".")) errors.push(invalid(path, group, "should be a domain with at least one dot"));
}

function checkScope(scope: string, path: FieldPath, errors: FieldError[]): void {
  if (scope === "") errors.push(required(path));
  else if (scope !== "Cluster" && scope !== "Namespaced") errors.push(notSupported(path, scope, ["Cluster", "Namespaced"]));
}

/** The parts of a version that the internal form holds once when all versions agree in them. */
interface Shared {
  readonly schema: boolean;
  readonly subresources: boolean;
  readonly columns: boolean;
  readonly selectable: boolean;
}

function sharedParts(versions: readonly CrdVersion[]): Shared {
  const agree = (part: keyof CrdVersion): boolean => versions.every((version) => equal(version[part], versions[0]![part]));
  return {
    schema: agree("schema"),
    subresources: agree("subresources"),
    columns: agree("additionalPrinterColumns"),
    selectable: agree("selectableFields"),
  };
}

function checkVersions(given: readonly CrdVersion[] | null, path: FieldPath, errors: FieldError[]): void {
  const versions = given ?? [];
  const shared = sharedParts(versions);
  for (const [i, version] of versions.entries()) {
    const at = path.child("versions").index(i);
    if (version.schema?.openAPIV3Schema === undefined) errors.push(required(at.child("schema").child("openAPIV3Schema")));
    const problems = label1035Name(version.name);
    if (problems.length > 0) errors.push(invalid(at.child("name"), version.name, problems.join(",")));
    checkDeprecation(version, at.child("deprecationWarning"), errors);
    // A part that all versions share is judged once, where the internal form has it.
    const isFirst = i === 0;
    if (!shared.schema || isFirst) {
      const hasStatus = shared.schema ? versions.some(hasStatusPart) : hasStatusPart(version);
      checkSchema(version, shared.schema ? path.child("validation") : at.child("schema"), hasStatus, errors);
    }
    if (!shared.subresources || isFirst) {
      checkScale(version.subresources?.scale, (shared.subresources ? path : at).child("subresources"), errors);
    }
    if (!shared.columns || isFirst) checkColumns(version, shared.columns ? path : at, errors);
    if (!shared.selectable || isFirst) checkSelectable(version, shared.selectable ? path : at, errors);
  }
  // The internal form also has the first version's name by itself.
  const first = versions[0]?.name ?? "";
  const problems = first === "" ? [] : label1035Name(first);
  if (problems.length > 0) errors.push(invalid(path.child("version"), first, problems.join(",")));
  const all = given === null ? null : internalVersions(versions, shared);
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(printed(path.child("versions"), all, "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(printed(path.child("versions"), all, "must have exactly one version marked as storage version"));
  }
}

function hasStatusPart({ subresources }: CrdVersion): boolean {
  return subresources?.status !== undefined;
}

/** The versions as Go's internal type prints them. */
function internalVersions(versions: readonly CrdVersion[], shared: Shared): object[] {
  return versions.map((version) => ({
    Name: version.name,
    Served: version.served,
    Storage: version.storage,
    Deprecated: version.deprecated === true,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: shared.schema ? null : (version.schema ?? null),
    Subresources: shared.subresources ? null : (version.subresources ?? null),
    AdditionalPrinterColumns: shared.columns ? null : (version.additionalPrinterColumns ?? null),
    SelectableFields: shared.selectable ? null : (version.selectableFields ?? null),
  }));
}

/** A value printed in its own order of fields, as a Go struct is. */
function printed(path: FieldPath, value: unknown, detail: string): FieldError {
  return { type: "FieldValueInvalid", field: String(path), body: `Invalid value: ${JSON.stringify(value)}: ${detail}` };
}

function checkDeprecation({ deprecated, deprecationWarning: warning }: CrdVersion, path: FieldPath, errors: FieldError[]): void {
  if (warning === undefined) return;
  if (deprecated !== true) {
    errors.push(invalid(path, warning, "can only be set for deprecated versions"));
    return;
  }
  if (warning.length > 256) errors.push(invalid(path, warning, "must be <= 256 characters long"));
  if (warning === "") errors.push(invalid(path, warning, "must not be an empty string"));
  const index = warning.search(/(?! )[\p{C}\p{Z}]/u);
  if (index < 0) return;
  const rule = "must only contain printable UTF-8 characters";
  errors.push(invalid(path, warning, `${rule}; non-printable character found at index ${index}`));
}

function checkSchema({ schema }: CrdVersion, path: FieldPath, hasStatus: boolean, errors: FieldError[]): void {
  const root = schema?.openAPIV3Schema;
  if (root !== undefined) errors.push(...checkStructural(root, path.child("openAPIV3Schema"), { hasStatus }));
}

function checkScale(scale: ScaleSubresource | undefined, path: FieldPath, errors: FieldError[]): void {
  if (scale === undefined) return;
  checkScalePath(
    scale.specReplicasPath,
    [".spec."],
    "should be a json path under .spec",
    path.child("scale.specReplicasPath"),
    errors,
  );
  const statusAt = path.child("scale.statusReplicasPath");
  checkScalePath(scale.statusReplicasPath, [".status."], "should be a json path under .status", statusAt, errors);
  if ((scale.labelSelectorPath ?? "") === "") return;
  const detail = "should be a json path under either .spec or .status";
  checkScalePath(scale.labelSelectorPath!, [".spec.", ".status."], detail, path.child("scale.labelSelectorPath"), errors);
}

function checkScalePath(text: string, parents: readonly string[], detail: string, path: FieldPath, errors: FieldError[]): void {
  if (text === "") errors.push(required(path));
  else if (!text.startsWith(".")) errors.push(invalid(path, text, "must be a simple json path starting with ."));
  else if (!parents.some((parent) => text.startsWith(parent))) errors.push(invalid(path, text, detail));
}

function checkColumns({ additionalPrinterColumns = [] }: CrdVersion, path: FieldPath, errors: FieldError[]): void {
  for (const [i, column] of additionalPrinterColumns.entries()) {
    const at = path.child("additionalPrinterColumns").index(i);
    const types = `must be one of ${COLUMN_TYPES.join(",")}`;
    const { format = "" } = column;
    const type: string = column.type;
    if (column.name === "") errors.push(required(at.child("name")));
    if (type === "") errors.push(required(at.child("type"), types));
    else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(at.child("type"), type, types));
    if (format !== "" && !COLUMN_FORMATS.includes(format)) {
      errors.push(invalid(at.child("format"), format, `must be one of ${COLUMN_FORMATS.join(",")}`));
    }
    const pathAt = at.child("JSONPath");
    if (column.jsonPath === "") errors.push(required(pathAt));
    else if (!column.jsonPath.startsWith(".")) {
      errors.push(invalid(pathAt, column.jsonPath, "must be a simple json path starting with ."));
    }
  }
}

function checkSelectable({ selectableFields = [], schema }: CrdVersion, path: FieldPath, errors: FieldError[]): void {
  const at = path.child("selectableFields");
  const seen = new Set<string>();
  for (const [i, { jsonPath }] of selectableFields.entries()) {
    const pathAt = at.index(i).child("jsonPath");
    if (jsonPath === "") {
      errors.push(required(pathAt));
      continue;
    }
    const found = schemaAt(schema?.openAPIV3Schema, jsonPath);
    if (typeof found === "string") {
      errors.push(invalid(pathAt, jsonPath, `is an invalid path: ${found}`));
      continue;
    }
    if (fieldNames(jsonPath)[0] === "metadata") errors.push(invalid(pathAt, jsonPath, "must not point to fields in metadata"));
    if (found.type !== "string" && found.type !== "boolean" && found.type !== "integer") {
      const detail =
        "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      errors.push(invalid(pathAt, jsonPath, detail));
    }
    if (seen.has(jsonPath)) errors.push(duplicate(pathAt, jsonPath));
    seen.add(jsonPath);
  }
  if (seen.size > MAX_SELECTABLE_FIELDS) errors.push(tooMany(at, seen.size, MAX_SELECTABLE_FIELDS));
}

/** The schema a simple path (`.spec.color`) leads to, or why it leads nowhere. */
function schemaAt(schema: Schema | undefined, jsonPath: string): Schema | string {
  if (jsonPath.includes("[")) return "array notation is not allowed";
  let current = schema;
  const tokens = jsonPath.match(/[.\]]|[^.\]]+/g) ?? [];
  for (let i = 0; i < tokens.length; i += 2) {
    const [separator, name] = [tokens[i]!, tokens[i + 1]];
    if (separator !== ".") return `expected [ or . but got: ${separator}`;
    if (name === undefined) return "unexpected end of JSON path";
    const properties: Record<string, Schema> = current?.properties ?? {};
    current = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (current === undefined) return "does not refer to a valid field";
  }
  return current ?? "does not refer to a valid field";
}

function checkNames(names: CrdNames, path: FieldPath, errors: FieldError[], isWanted: boolean): void {
  const { plural, singular = "", kind, listKind = "", shortNames = [], categories = [] } = names;
  const given = { plural, singular, kind, listKind };
  if (isWanted) for (const [name, value] of Object.entries(given)) if (value === "") errors.push(required(path.child(name)));
  for (const [name, value] of Object.entries(given)) {
    const isKind = name === "kind" || name === "listKind";
    const problems = value === "" ? [] : label1035Name(isKind ? value.toLowerCase() : value);
    if (problems.length === 0) continue;
    const mixed = isKind ? "may have mixed case, but should otherwise match: " : "";
    errors.push(invalid(path.child(name), value, `${mixed}${problems.join(",")}`));
  }
  for (const [part, values] of Object.entries({ shortNames, categories })) {
    for (const [i, value] of values.entries()) {
      const problems = label1035Name(value);
      if (problems.length > 0) errors.push(invalid(path.child(part).index(i), value, problems.join(",")));
    }
  }
  if (kind !== "" && kind === listKind) {
    errors.push(invalid(path.child("listKind"), listKind, "kind and listKind may not be the same"));
  }
}

function checkImmutable(
  crd: CustomResourceDefinition,
  old: CustomResourceDefinition,
  path: FieldPath,
  errors: FieldError[],
): void {
  const keep = (value: string, before: string, at: FieldPath): void => {
    if (value !== before) errors.push(invalid(at, value, "field is immutable"));
  };
  const isEstablished = (old.status.conditions ?? []).some(({ type, status }) => type === "Established" && status === "True");
  if (isEstablished) {
    keep(crd.spec.scope, old.spec.scope, path.child("scope"));
    keep(crd.spec.names.kind, old.spec.names.kind, path.child("names").child("kind"));
  }
  keep(crd.spec.group, old.spec.group, path.child("group"));
  keep(crd.spec.names.plural, old.spec.names.plural, path.child("names").child("plural"));
}

function checkStoredVersions(
  stored: readonly string[],
  versions: readonly CrdVersion[],
  path: FieldPath,
  errors: FieldError[],
): void {
  if (stored.length === 0) {
    errors.push(invalid(path, null, "must have at least one stored version"));
    return;
  }
  for (const { name, storage } of versions) {
    if (storage && !stored.includes(name)) errors.push(invalid(path, stored, `must have the storage version ${name}`));
  }
  for (const [i, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue;
    const detail =
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage ` +
      `migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(invalid(path.index(i), name, detail));
  }
}

const APPROVAL = "api-approved.kubernetes.io";

/** Groups of the Kubernetes project itself need a word from it. */
function checkApproval(crd: CustomResourceDefinition, old: CustomResourceDefinition | undefined, errors: FieldError[]): void {
  const { group } = crd.spec;
  const isProtected = ["k8s.io", "kubernetes.io"].some((domain) => group === domain || group.endsWith(`.${domain}`));
  const approval = crd.metadata.annotations?.[APPROVAL] ?? "";
  if (!isProtected || (old !== undefined && (old.metadata.annotations?.[APPROVAL] ?? "") === approval)) return;
  const path = FieldPath.of("metadata", "annotations").key(APPROVAL);
  const help = "see https://github.com/kubernetes/enhancements/pull/1111";
  if (approval === "") {
    errors.push(required(path, `protected groups must have approval annotation "${APPROVAL}", ${help}`));
  } else if (!approval.startsWith("unapproved") && !/^https?:\/\/[^/]+/.test(approval)) {
    const rule = `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved"`;
    errors.push(invalid(path, approval, `${rule}, ${help}`));
  }
}
