/** Why there is no session. */
import { Fault } from "#std/fault.ts";
import { STATUS } from "./rakp.ts";

export function silence(name: string): Fault {
  return new Fault("ipmi.unreachable", `the BMC does not answer "${name}"`, { fault: "world", retry: "soon" });
}

export function unsupported(problem: string): Fault {
  return new Fault("ipmi.unsupported", `the BMC cannot be spoken to: ${problem}`, { fault: "peer", retry: "never" });
}

export function denied(because: string): Fault {
  return new Fault("ipmi.denied", `the BMC does not let us in: ${because}`, { fault: "caller", retry: "later" });
}

/** The BMC does not take the suite; another one may do. */
const NO_MATCH: readonly number[] = [
  STATUS.invalidAuthentication,
  STATUS.invalidIntegrity,
  STATUS.invalidConfidentiality,
  STATUS.noSuiteMatch,
  STATUS.illegalParameter,
  STATUS.noAuthenticationMatch,
  STATUS.noIntegrityMatch,
];

export function isSuiteRefusal(status: number): boolean {
  return NO_MATCH.includes(status);
}

/** §13.24 */
const REFUSALS: Readonly<Record<number, string>> = {
  [STATUS.invalidRole]: "it does not know the privilege level",
  [STATUS.unauthorizedRole]: "the user may not have this privilege",
  [STATUS.invalidNameLength]: "the user name has a wrong length",
  [STATUS.unauthorizedName]: "it does not know the user, or lets nobody of this name in",
  [STATUS.invalidCheck]: "the password or the key is another one",
};
const BUSY: readonly number[] = [STATUS.insufficientResources, STATUS.insufficientResourcesForRole];
const GONE: readonly number[] = [STATUS.invalidSession, STATUS.inactiveSession];

/** Of a message that begins a session and was answered with a status other than 0 (§13.24). */
export function statusFault(name: string, status: number): Fault {
  const code = `0x${status.toString(16).padStart(2, "0")}`;
  if (BUSY.includes(status)) return refusal("ipmi.busy", name, code, "it has no session left", "soon");
  // It forgot the session while we were talking: out of sessions, or restarted.
  if (GONE.includes(status)) return refusal("ipmi.busy", name, code, "it forgot the session", "soon");
  if (isSuiteRefusal(status)) return refusal("ipmi.unsupported", name, code, "it does not take the cipher suite", "never");
  const because = REFUSALS[status];
  if (because === undefined) return refusal("ipmi.refused", name, code, "a status of its own", "later");
  return denied(`${because} (${name}: ${code})`);
}

function refusal(fault: string, name: string, status: string, meaning: string, retry: "soon" | "later" | "never"): Fault {
  return new Fault(fault, `the BMC answered "${name}" with ${status}: ${meaning}`, { fault: "peer", retry, facts: { status } });
}
