/** Faults about machine configuration. Their messages name places, never values: a configuration holds the keys of a cluster. */
import { Fault } from "#std/fault.ts";

/** Codes of this layer. */
export type TalosCode =
  /** Not a machine configuration, or longer than one may be. */
  | "talos.config"
  /** A patch that is none, or does not apply. */
  | "talos.patch"
  /** A secrets bundle or PKI that is incomplete or does not parse. */
  | "talos.secrets"
  /** Options that no configuration can be made of. */
  | "talos.options";

export function refusal(code: TalosCode, message: string, cause?: unknown): Fault {
  return new Fault(code, message, { fault: "peer", retry: "never", ...(cause === undefined ? {} : { cause }) });
}
