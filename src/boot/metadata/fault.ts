/** Why a machine gets no configuration. Messages name places, never values: a configuration holds the keys of a cluster. */
import { Fault } from "#std/fault.ts";

/** For programs: the label of a metric. */
export type Reason =
  /** No token, or none that is good. */
  | "token"
  /** It comes from where the machine is not seen. */
  | "presence"
  /** Of another boot, another allocation, or from before it was installed. */
  | "over"
  /** Somebody else has asked as this machine. */
  | "intruder"
  /** There is none. */
  | "missing";

/** `status`: of HTTP. Fault `boot.config`. */
export function noConfig(status: 403 | 404 | 500, reason: Reason, message: string, cause?: unknown): Fault {
  const fault = status === 500 ? "caller" : "peer";
  const facts = { status, reason };
  return new Fault("boot.config", message, { fault, retry: "later", facts, ...(cause === undefined ? {} : { cause }) });
}

export function isNoConfig(fault: Fault): fault is Fault & { facts: { status: 403 | 404 | 500; reason: Reason } } {
  return Fault.is(fault, "boot.config");
}
