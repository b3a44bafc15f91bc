/** What IPMI says about a failure, in the words of `bmc.ts`. */
import { Fault } from "#std/fault.ts";

const CODES: Readonly<Record<string, string>> = {
  "ipmi.unreachable": "bmc.unreachable",
  "ipmi.denied": "bmc.denied",
  "ipmi.busy": "bmc.busy",
  "ipmi.refused": "bmc.refused",
  "ipmi.unsupported": "bmc.unsupported",
  "ipmi.malformed": "bmc.malformed",
  // A name or password that IPMI cannot carry is one that cannot be right.
  "ipmi.text": "bmc.denied",
};

/** Runs `work`; what it rejects with becomes a Fault `bmc.…`, other Faults of `io` become `bmc.unreachable`, and the rest stays as it is. */
export async function asBmc<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!Fault.is(error)) throw error;
    const code = CODES[error.code] ?? (error.code.startsWith("io.") ? "bmc.unreachable" : undefined);
    if (code === undefined) throw error;
    const { fault, retry, facts } = error;
    throw new Fault(code, error.message, { fault, retry: code === "bmc.unreachable" ? "soon" : retry, facts, cause: error });
  }
}
