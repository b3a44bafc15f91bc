/** The options of requests (meta/v1 CreateOptions, UpdateOptions, PatchOptions, DeleteOptions, ListOptions) and their rules. */
import type { FieldError } from "#schema/field.ts";
import { FieldPath, forbidden, invalid, notSupported, required, tooLong } from "#schema/field.ts";
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import { APPLY_PATCH } from "#kube/patch/apply.ts";
import { badRequest, invalidFault } from "#kube/status.ts";
import { TYPE_META, goTypeMismatch } from "../go-types.ts";
import { flag, integer } from "../query.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
}

export type PropagationPolicy = "Foreground" | "Background" | "Orphan";

export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly propagationPolicy: PropagationPolicy | undefined;
  /** The older form of `propagationPolicy`; setting it to false also makes a deletion that has to wait answer 202. */
  readonly orphanDependents: boolean | undefined;
}

export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  /** 0 is no limit. */
  readonly limit: number;
  readonly continueToken: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

const FIELD_MANAGER_LIMIT = 128;
const FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"];
const POLICIES = ["Foreground", "Background", "Orphan"];

/** Throws 400 for values that are not of their type, 422 for those that break a rule. `patchType` only for PatchOptions. */
export function readWriteOptions(
  query: URLSearchParams,
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions",
  patchType?: string,
): WriteOptions {
  const errors: FieldError[] = [];
  const fieldManager = query.get("fieldManager") ?? "";
  const fieldValidation = query.get("fieldValidation") ?? "";
  if (patchType === APPLY_PATCH) {
    if (fieldManager === "") errors.push(required(FieldPath.of("fieldManager"), "is required for apply patch"));
  } else if (patchType !== undefined && query.has("force")) {
    errors.push(forbidden(FieldPath.of("force"), "may not be specified for non-apply patch"));
  }
  checkFieldManager(fieldManager, errors);
  const dryRun = query.getAll("dryRun");
  checkDryRun(dryRun, errors);
  if (!FIELD_VALIDATIONS.includes(fieldValidation)) {
    errors.push(notSupported(FieldPath.of("fieldValidation"), fieldValidation, FIELD_VALIDATIONS));
  }
  refuseIf(errors, kind);
  return {
    dryRun: dryRun.length > 0,
    fieldManager,
    fieldValidation: fieldValidation === "" ? "Warn" : (fieldValidation as FieldValidation),
  };
}

/** From the body if there is one, else from the query. Throws as {@link readWriteOptions}. */
export function readDeleteOptions(query: URLSearchParams, body: Json | undefined): DeleteOptions {
  const source = body === undefined ? optionsOfQuery(query) : optionsOfBody(body);
  const errors: FieldError[] = [];
  const { propagationPolicy, orphanDependents, dryRun, uid, resourceVersion } = source;
  const path = FieldPath.of("propagationPolicy");
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    errors.push(invalid(path, propagationPolicy, "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (propagationPolicy !== undefined && !POLICIES.includes(propagationPolicy)) {
    errors.push(notSupported(path, propagationPolicy, [...POLICIES, "nil"]));
  }
  checkDryRun(dryRun, errors);
  refuseIf(errors, "DeleteOptions");
  return {
    dryRun: dryRun.length > 0,
    uid,
    resourceVersion,
    orphanDependents,
    propagationPolicy: propagationPolicy as PropagationPolicy | undefined,
  };
}

interface DeleteSource {
  readonly dryRun: string[];
  readonly propagationPolicy: string | undefined;
  readonly orphanDependents: boolean | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

function optionsOfQuery(query: URLSearchParams): DeleteSource {
  integer(query, "gracePeriodSeconds");
  return {
    dryRun: query.getAll("dryRun"),
    propagationPolicy: query.get("propagationPolicy") ?? undefined,
    orphanDependents: flag(query, "orphanDependents"),
  };
}

function optionsOfBody(body: Json): DeleteSource {
  if (!isObject(body)) throw badRequest(`couldn't get version/kind; json parse error: ${goTypeMismatch(body, TYPE_META)}`);
  const kind = member(body, "kind", "string", "DeleteOptions.kind");
  const apiVersion = member(body, "apiVersion", "string", "DeleteOptions.apiVersion") ?? "";
  if (kind !== undefined && kind !== "" && kind !== "DeleteOptions") {
    throw badRequest(
      `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/apis/meta/internalversion/scheme/register.go:27"`,
    );
  }
  const dryRun = own(body, "dryRun") ?? [];
  if (!Array.isArray(dryRun) || !dryRun.every((item) => typeof item === "string")) {
    throw badRequest(goTypeMismatch(dryRun, "Go struct field DeleteOptions.dryRun of type []string"));
  }
  member(body, "gracePeriodSeconds", "number", "DeleteOptions.gracePeriodSeconds");
  const preconditions = own(body, "preconditions") ?? {};
  if (!isObject(preconditions)) {
    throw badRequest(goTypeMismatch(preconditions, "Go struct field DeleteOptions.preconditions of type v1.Preconditions"));
  }
  return {
    dryRun,
    propagationPolicy: member(body, "propagationPolicy", "string", "DeleteOptions.propagationPolicy", "v1.DeletionPropagation"),
    orphanDependents: member(body, "orphanDependents", "boolean", "DeleteOptions.orphanDependents"),
    uid: member(preconditions, "uid", "string", "Preconditions.preconditions.uid", "types.UID"),
    resourceVersion: member(preconditions, "resourceVersion", "string", "Preconditions.preconditions.resourceVersion"),
  };
}

const GO_TYPES = { string: "string", number: "int64", boolean: "bool" } as const;
interface Scalars {
  string: string;
  number: number;
  boolean: boolean;
}

function member<T extends keyof Scalars>(
  object: JsonObject,
  name: string,
  type: T,
  field: string,
  goType: string = GO_TYPES[type],
): Scalars[T] | undefined {
  const value = own(object, name);
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type) throw badRequest(goTypeMismatch(value, `Go struct field ${field} of type ${goType}`));
  return value as Scalars[T];
}

/** Throws 400 and 422 (combinations that make no sense), for lists and watches each by its own rules. */
export function readListOptions(query: URLSearchParams, watch: boolean): ListOptions {
  const options: ListOptions = {
    labelSelector: query.get("labelSelector") ?? "",
    fieldSelector: query.get("fieldSelector") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    limit: Math.max(0, integer(query, "limit") ?? 0),
    continueToken: query.get("continue") ?? "",
    timeoutSeconds: integer(query, "timeoutSeconds"),
    allowWatchBookmarks: flag(query, "allowWatchBookmarks") ?? false,
    sendInitialEvents: flag(query, "sendInitialEvents"),
  };
  const errors = watch ? watchErrors(options) : listErrors(options);
  refuseIf(errors, "ListOptions");
  return options;
}

const MATCH = FieldPath.of("resourceVersionMatch");
const SEND_INITIAL_EVENTS = FieldPath.of("sendInitialEvents");

function listErrors(options: ListOptions): FieldError[] {
  const errors: FieldError[] = [];
  const match = options.resourceVersionMatch;
  if (match !== "") {
    if (options.resourceVersion === "")
      errors.push(forbidden(MATCH, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    if (options.continueToken !== "")
      errors.push(forbidden(MATCH, "resourceVersionMatch is forbidden when continue is provided"));
    if (match !== "Exact" && match !== "NotOlderThan") errors.push(notSupported(MATCH, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && options.resourceVersion === "0") {
      errors.push(forbidden(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined)
    errors.push(forbidden(SEND_INITIAL_EVENTS, "sendInitialEvents is forbidden for list"));
  return errors;
}

function watchErrors(options: ListOptions): FieldError[] {
  const errors: FieldError[] = [];
  const match = options.resourceVersionMatch;
  if (options.sendInitialEvents !== undefined && match !== "NotOlderThan") {
    errors.push(forbidden(MATCH, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  }
  if (match !== "") {
    if (options.sendInitialEvents === undefined)
      errors.push(forbidden(MATCH, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
    if (match !== "NotOlderThan") errors.push(notSupported(MATCH, match, ["NotOlderThan"]));
  }
  // A watch that begins with the present state counts as one that asked for NotOlderThan.
  const matches = match !== "" || (options.sendInitialEvents === undefined && ["", "0"].includes(options.resourceVersion));
  if (matches && options.continueToken !== "")
    errors.push(forbidden(MATCH, "resourceVersionMatch is forbidden when continue is provided"));
  return errors;
}

function checkFieldManager(fieldManager: string, errors: FieldError[]): void {
  const path = FieldPath.of("fieldManager");
  if (Buffer.byteLength(fieldManager) > FIELD_MANAGER_LIMIT) errors.push(tooLong(path, FIELD_MANAGER_LIMIT));
  let at = 0;
  for (const character of fieldManager) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      errors.push(invalid(path, fieldManager, `invalid character U+${code} (at position ${at})`));
    }
    at += Buffer.byteLength(character);
  }
}

function checkDryRun(dryRun: readonly string[], errors: FieldError[]): void {
  if (!dryRun.every((value) => value === "All")) errors.push(notSupported(FieldPath.of("dryRun"), dryRun, ["All"]));
}

function refuseIf(errors: readonly FieldError[], kind: string): void {
  if (errors.length > 0) throw invalidFault("meta.k8s.io", kind, "", errors);
}
