/** What Talos' API answers, and what happens on the way to it, as faults (`talos/api.ts`). */
import { Code, ConnectError } from "@connectrpc/connect";
import type { Retry } from "#std/fault.ts";
import { Fault } from "#std/fault.ts";

export type TalosFault = "talos.unreachable" | "talos.denied" | "talos.not-ready" | "talos.refused";

const RETRY: Readonly<Record<TalosFault, Retry>> = {
  "talos.unreachable": "soon",
  "talos.denied": "later",
  "talos.not-ready": "soon",
  "talos.refused": "never",
};

/** What the machine says is shown up to this length. */
const LONGEST = 300;

export function talosFault(code: TalosFault, message: string, facts: Record<string, unknown> = {}, cause?: unknown): Fault {
  return new Fault(code, message.slice(0, LONGEST + 100), { fault: "peer", retry: RETRY[code], facts, cause });
}

/** gRPC's code for an answer of the machine. */
function codeOf(code: Code): TalosFault {
  switch (code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.Canceled:
      return "talos.unreachable";
    case Code.Unauthenticated:
    case Code.PermissionDenied:
      return "talos.denied";
    case Code.FailedPrecondition:
    case Code.Aborted:
    case Code.ResourceExhausted:
    case Code.Internal:
    case Code.Unknown:
      return "talos.not-ready";
    default:
      return "talos.refused";
  }
}

/** `isQuiet`: what is said about it may quote a configuration, and is not passed on. */
export function faultOf(error: unknown, call: string, endpoint: string, isQuiet = false): Fault {
  if (Fault.is(error)) return error;
  const system = systemCodeOf(error);
  if (system !== undefined) return worldFault(system, call, endpoint);
  const { code, rawMessage } = ConnectError.from(error);
  // A machine that turns our certificate down says so by a TLS alert after the handshake, which Node's HTTP/2 does not tell.
  if (code === Code.Canceled) {
    const message = `${call} at ${endpoint}: it closed the connection without an answer (it may not take our certificate)`;
    return talosFault("talos.unreachable", message, { reason: "closed", endpoint }, error);
  }
  const kind = codeOf(code);
  const said = isQuiet ? "" : `: ${rawMessage.slice(0, LONGEST)}`;
  return talosFault(kind, `${call} at ${endpoint}: ${Code[code]}${said}`, { grpc: Code[code], endpoint }, error);
}

/** An error that an endpoint passes on for the machine behind it (`metadata.error`). */
export function passedOn(call: string, endpoint: string, code: number, message: string): Fault {
  const kind = codeOf(code);
  return talosFault(kind, `${call} at ${endpoint}: ${message.slice(0, LONGEST)}`, { grpc: Code[code], endpoint });
}

/** The code of Node or OpenSSL below an error, for connections that failed. */
function systemCodeOf(error: unknown): string | undefined {
  for (let here = error, depth = 0; here instanceof Error && depth < 5; here = here.cause, depth++) {
    const { code } = here as { code?: unknown };
    if (typeof code === "string") return code;
  }
  return undefined;
}

/** OpenSSL's names for what is wrong with the certificate of the other side. */
const UNTRUSTED = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_ALTNAME|INVALID_CA|HOSTNAME_MISMATCH)/;

function worldFault(system: string, call: string, endpoint: string): Fault {
  if (UNTRUSTED.test(system)) {
    const message = `${call} at ${endpoint}: what answers has no certificate of this cluster (${system})`;
    return talosFault("talos.unreachable", message, { reason: "certificate", system, endpoint });
  }
  // Up to TLS 1.2 the machine turns our certificate down in the handshake: an alert (RFC 5246 §7.2).
  if (/^ERR_SSL_.*ALERT/.test(system))
    return talosFault("talos.denied", `${call} at ${endpoint}: it does not take our certificate (${system})`, {
      system,
      endpoint,
    });
  return talosFault("talos.unreachable", `${call} at ${endpoint}: ${system}`, { reason: "connection", system, endpoint });
}
