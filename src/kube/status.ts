/** meta/v1 Status: how a Kubernetes API says no. Shared by the server that writes it and the client that reads it. */
import { Fault } from "#std/fault.ts";
import type { FieldError } from "#schema/field.ts";
import { printFieldError } from "#schema/field.ts";
import { quote } from "#schema/quote.ts";

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, unknown>;
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code: number;
}

/** reason → HTTP code and fault code. The reasons are Kubernetes'; a fault carries the whole Status in `facts.status`. */
const REASONS = {
  BadRequest: [400, "api.bad-request", "caller", "never"],
  Unauthorized: [401, "api.unauthorized", "caller", "later"],
  Forbidden: [403, "api.forbidden", "caller", "later"],
  NotFound: [404, "api.not-found", "caller", "never"],
  MethodNotAllowed: [405, "api.method-not-allowed", "caller", "never"],
  NotAcceptable: [406, "api.not-acceptable", "caller", "never"],
  AlreadyExists: [409, "api.already-exists", "caller", "never"],
  Conflict: [409, "api.conflict", "caller", "soon"],
  Gone: [410, "api.gone", "caller", "soon"],
  Expired: [410, "api.expired", "caller", "soon"],
  RequestEntityTooLarge: [413, "api.too-large", "caller", "never"],
  UnsupportedMediaType: [415, "api.unsupported-media-type", "caller", "never"],
  Invalid: [422, "api.invalid", "caller", "never"],
  TooManyRequests: [429, "api.too-many-requests", "peer", "soon"],
  InternalError: [500, "api.internal", "peer", "later"],
  ServiceUnavailable: [503, "api.unavailable", "peer", "soon"],
  Timeout: [504, "api.timeout", "peer", "soon"],
  ServerTimeout: [500, "api.server-timeout", "peer", "soon"],
  StorageReadError: [500, "api.storage", "world", "later"],
} as const;

export type StatusReason = keyof typeof REASONS;

/** What an API error is about: the resource (plural) or kind, its group and the object's name. */
export interface Subject {
  group: string;
  /** Plural resource name, as most errors print it. */
  resource: string;
  name?: string;
}

/** A Fault that the HTTP edge turns into exactly this Status. */
export function statusFault(reason: StatusReason, message: string, details?: StatusDetails, code?: number): Fault {
  const [defaultCode, faultCode, fault, retry] = REASONS[reason];
  const status: Status = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code: code ?? defaultCode,
  };
  return new Fault(faultCode, message, { fault, retry, facts: { status } });
}

/** The Status a fault carries, or a 500 InternalError around anything else (whose text may be shown: faults hold no secrets). */
export function statusOf(error: unknown): Status {
  const fault = Fault.from(error);
  const status = fault.facts["status"] as Status | undefined;
  if (status !== undefined) return status;
  return statusOf(
    statusFault("InternalError", `Internal error occurred: ${fault.message}`, { causes: [{ message: fault.message }] }),
  );
}

/** The other way, for clients: a Status read from the wire becomes the same fault the server raised. */
export function faultOf(status: Status): Fault {
  const reason = Object.hasOwn(REASONS, status.reason ?? "") ? (status.reason as StatusReason) : reasonOfCode(status.code);
  return statusFault(reason, status.message ?? status.reason ?? `HTTP ${status.code}`, status.details, status.code);
}

function reasonOfCode(code: number): StatusReason {
  for (const reason of Object.keys(REASONS) as StatusReason[]) if (REASONS[reason][0] === code) return reason;
  return code >= 500 ? "InternalError" : "BadRequest";
}

/** `servers.metal.sidero.dev "x"`; the core group has no suffix. */
function qualified(subject: Subject): string {
  return subject.group === "" ? subject.resource : `${subject.resource}.${subject.group}`;
}

function detailsOf(subject: Subject): StatusDetails {
  return {
    ...(subject.name === undefined || subject.name === "" ? {} : { name: subject.name }),
    ...(subject.group === "" ? {} : { group: subject.group }),
    kind: subject.resource,
  };
}

export function notFound(subject: Subject): Fault {
  return statusFault("NotFound", `${qualified(subject)} ${quote(subject.name ?? "")} not found`, detailsOf(subject));
}
export function alreadyExists(subject: Subject): Fault {
  return statusFault("AlreadyExists", `${qualified(subject)} ${quote(subject.name ?? "")} already exists`, detailsOf(subject));
}
export function conflict(subject: Subject, message: string): Fault {
  return statusFault(
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(subject)} ${quote(subject.name ?? "")}: ${message}`,
    detailsOf(subject),
  );
}
export function forbiddenFault(subject: Subject, message: string): Fault {
  return statusFault(
    "Forbidden",
    `${qualified(subject)} ${quote(subject.name ?? "")} is forbidden: ${message}`,
    detailsOf(subject),
  );
}
export function badRequest(message: string): Fault {
  return statusFault("BadRequest", message);
}
/** An error Kubernetes has no reason for: 500 with nothing but its text. */
export function unclassified(message: string): Fault {
  const status: Status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, code: 500 };
  return new Fault("api.internal", message, { fault: "caller", retry: "never", facts: { status } });
}
/** Faults that one answer names; a body of 3 MB can have a hundred thousand, and each is told twice. */
const MAX_CAUSES = 500;

/** 422; `kind` is the Kind (not the plural), as apimachinery's NewInvalid has it. */
export function invalidFault(group: string, kind: string, name: string, all: readonly FieldError[]): Fault {
  const errors = all.slice(0, MAX_CAUSES);
  const lines = [...new Set(errors.map(printFieldError))];
  if (all.length > errors.length) lines.push(`and ${all.length - errors.length} more`);
  const text = lines.length === 1 ? lines[0]! : `[${lines.join(", ")}]`;
  const qualifiedKind = group === "" ? kind : `${kind}.${group}`;
  const causes = errors.map((error) => ({ reason: error.type, message: error.body, field: error.field }));
  return statusFault("Invalid", `${qualifiedKind} ${quote(name)} is invalid: ${text}`, {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    kind,
    ...(causes.length === 0 ? {} : { causes }),
  });
}
export function isNotFound(error: unknown): boolean {
  return Fault.is(error, "api.not-found");
}
/** Undefined for what is not there (the object, or the kind); rejects as the request does otherwise. What is gone already needs nothing done to it. */
export async function ifThere<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
export function isConflict(error: unknown): boolean {
  return Fault.is(error, "api.conflict");
}
export function isAlreadyExists(error: unknown): boolean {
  return Fault.is(error, "api.already-exists");
}
export function isExpired(error: unknown): boolean {
  return Fault.is(error, "api.expired") || Fault.is(error, "api.gone");
}
