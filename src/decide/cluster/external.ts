/**
 * Objects of providers, which the core kinds only know by reference: whether they are there, and what they say under either contract
 * (§1.2–1.5). What has both contracts' fields is believed under either.
 */
import type { Condition, KubeObject } from "#schema/meta.ts";
import { isObject, type JsonObject } from "#std/json.ts";
import { findCondition } from "#schema/condition.ts";
import type { ContractVersionedObjectReference } from "#kinds/cluster/v1beta2/reference.ts";

/** As it was last seen. */
export type Look =
  /** It cannot be known yet; whoever waits is told. */
  | { readonly is: "unknown" }
  /** There is no such kind, or none that keeps a contract. */
  | { readonly is: "refused"; readonly problem: string }
  | { readonly is: "missing" }
  | { readonly is: "there"; readonly object: KubeObject };

export type Reference = ContractVersionedObjectReference;

export function objectOf(look: Look | undefined): KubeObject | undefined {
  return look?.is === "there" ? look.object : undefined;
}

export function isDeleting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** The status of any object; empty when it has none. */
export function statusOf(object: KubeObject | undefined): JsonObject {
  const status = object?.["status"];
  return isObject(status) ? status : {};
}

export function specOf(object: KubeObject | undefined): JsonObject {
  const spec = object?.["spec"];
  return isObject(spec) ? spec : {};
}

function says(object: KubeObject, newer: string, older: string): boolean {
  const status = statusOf(object);
  const { initialization } = status;
  return (isObject(initialization) && initialization[newer] === true) || status[older] === true;
}

/** An InfraCluster or InfraMachine. */
export function isProvisioned(object: KubeObject): boolean {
  return says(object, "provisioned", "ready");
}
/** A BootstrapConfig. */
export function hasDataSecret(object: KubeObject): boolean {
  return says(object, "dataSecretCreated", "ready");
}
/** A ControlPlane. */
export function isInitialized(object: KubeObject): boolean {
  return says(object, "controlPlaneInitialized", "initialized");
}

/** Empty text counts as none. */
export function textOf(part: JsonObject, field: string): string | undefined {
  const value = part[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** What makes no valid condition is passed over; what is missing in one is made good (§1.6). */
export function conditionOf(object: KubeObject | undefined, type: string): Condition | undefined {
  const status = statusOf(object);
  const newer = [status["v1beta2"], status["v1beta2Status"]].find(isObject);
  const list = newer?.["conditions"] ?? status["conditions"];
  const conditions = (Array.isArray(list) ? list : []).filter(isObject) as unknown as Condition[];
  return findCondition(conditions, type);
}

export interface Judgement {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** A condition as another object repeats it; `otherwise` when there is none. */
export function mirrored(object: KubeObject | undefined, type: string, otherwise: Judgement): Judgement {
  const condition = conditionOf(object, type);
  if (condition === undefined) return otherwise;
  const { status, reason = "", message = "" } = condition;
  if (status !== "True" && status !== "False" && status !== "Unknown") {
    const said = `${object!.kind} reports no status of ${type}`;
    return { status: "Unknown", reason: "InvalidConditionReported", message: said };
  }
  const words = { True: type, False: `Not${type}`, Unknown: `${type}Unknown` };
  return { status, reason: reason === "" ? words[status] : reason, message };
}

/** What contract v1beta1 says of failures; of no effect any more but to be shown. */
export function failureOf(object: KubeObject | undefined): { reason: string | undefined; message: string | undefined } {
  const status = statusOf(object);
  return { reason: textOf(status, "failureReason"), message: textOf(status, "failureMessage") };
}
