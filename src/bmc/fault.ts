/** Faults of `bmc.ts`, by their code. */
import { Fault } from "#std/fault.ts";

export type BmcCode = "unreachable" | "denied" | "busy" | "refused" | "unsupported" | "not-verified" | "malformed" | "untrusted";

const KINDS: Readonly<Record<BmcCode, readonly [Fault["fault"], Fault["retry"]]>> = {
  unreachable: ["world", "soon"],
  denied: ["caller", "later"],
  busy: ["peer", "soon"],
  refused: ["peer", "later"],
  unsupported: ["peer", "never"],
  "not-verified": ["peer", "soon"],
  malformed: ["peer", "later"],
  untrusted: ["peer", "later"],
};

export function bmcFault(code: BmcCode, message: string, more: { cause?: unknown; facts?: Fault["facts"] } = {}): Fault {
  const [fault, retry] = KINDS[code];
  return new Fault(`bmc.${code}`, message, { fault, retry, ...more });
}

/** What the HTTP transport and the reader of documents say. Reasons of aborted signals pass. */
export function fromTransport(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason as Error;
  if (!Fault.is(error)) return Fault.from(error);
  if (error.code.startsWith("bmc.")) return error;
  if (error.code === "io.untrusted") return bmcFault("untrusted", error.message, { cause: error });
  if (error.code === "redfish.malformed") return bmcFault("malformed", error.message, { cause: error });
  if (error.code.startsWith("io.")) return bmcFault("unreachable", error.message, { cause: error });
  return error;
}
