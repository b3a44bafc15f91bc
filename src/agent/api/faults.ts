/** The one table from fault codes to gRPC's status codes. */
import { Code, ConnectError } from "@connectrpc/connect";
import { BmcRefusal_Reason, BmcRefusalSchema } from "#proto/sidero/agent/v1/machine_pb.js";
import { Fault } from "#std/fault.ts";

const CODES: Readonly<Record<string, Code>> = {
  "agent.malformed": Code.InvalidArgument,
  "agent.unauthenticated": Code.Unauthenticated,
  "agent.denied": Code.PermissionDenied,
  "agent.not-registered": Code.NotFound,
  "agent.not-ordered": Code.FailedPrecondition,
  "agent.not-wanted": Code.FailedPrecondition,
  "agent.not-ready": Code.Unavailable,
  "agent.busy": Code.ResourceExhausted,
  "agent.bmc-denied": Code.FailedPrecondition,
  "agent.bmc-unreachable": Code.Unavailable,
  "decide.token": Code.Unauthenticated,
  "io.too-large": Code.ResourceExhausted,
  "io.closed": Code.Canceled,
  "api.invalid": Code.InvalidArgument,
  "api.conflict": Code.Aborted,
  "api.timeout": Code.Unavailable,
  "api.server-timeout": Code.Unavailable,
  "api.unavailable": Code.Unavailable,
  "api.too-many-requests": Code.Unavailable,
  "io.no-space": Code.Unavailable,
};

/** What our agent does next depends on it; upstream's does not look. */
const BMC_REASONS: Readonly<Record<string, BmcRefusal_Reason>> = {
  "agent.bmc-denied": BmcRefusal_Reason.DENIED,
  "agent.bmc-unreachable": BmcRefusal_Reason.UNREACHABLE,
};

/** What goes to the machine. Nobody there can do anything about a defect of ours, which is therefore not told but logged. */
export function rpcErrorOf(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const fault = Fault.from(error);
  const code = CODES[fault.code];
  if (code === undefined) return new ConnectError("the server failed; its log says why", Code.Internal);
  const reason = BMC_REASONS[fault.code];
  const details = reason === undefined ? [] : [{ desc: BmcRefusalSchema, value: { reason } }];
  return new ConnectError(fault.message, code, undefined, details);
}

/** A failure that is the way of things, told to the machine and nobody else: it says itself what it makes of it. */
export function isExpected({ code }: Fault): boolean {
  return code === "io.closed" || code === "agent.not-ready" || BMC_REASONS[code] !== undefined;
}

/** Whether the machine is refused something, and not merely asked to come again. */
export function isRefusal(fault: Fault): boolean {
  return CODES[fault.code] !== undefined && CODES[fault.code] !== Code.Unavailable && fault.fault === "peer";
}

/** A fault of the machine's making; `code` is one of the table's `agent.*`, `facts` what is known of the machine. */
export function refusal(code: `agent.${string}`, message: string, facts: Fault["facts"] = {}): Fault {
  return new Fault(code, message, { fault: "peer", retry: "never", facts });
}
