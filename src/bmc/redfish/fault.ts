/** What goes wrong with a Redfish service, as the Faults of `bmc.ts`. */
import { Fault } from "#std/fault.ts";
import { isForFutureState, isNotNow, isPasswordChange, type Messages, readMessages } from "#wire/redfish/message.ts";
import type { Answer } from "./exchange.ts";

export type Code = "unreachable" | "denied" | "busy" | "refused" | "unsupported" | "not-verified" | "malformed" | "untrusted";

const KINDS: Readonly<Record<Code, readonly [Fault["fault"], Fault["retry"]]>> = {
  unreachable: ["world", "soon"],
  denied: ["caller", "later"],
  busy: ["peer", "soon"],
  refused: ["peer", "later"],
  unsupported: ["peer", "never"],
  "not-verified": ["peer", "soon"],
  malformed: ["peer", "later"],
  untrusted: ["peer", "later"],
};

export function bmcFault(code: Code, message: string, more: { cause?: unknown; facts?: Fault["facts"] } = {}): Fault {
  const [fault, retry] = KINDS[code];
  return new Fault(`bmc.${code}`, message, { fault, retry, ...more });
}

/** What the transport says. Reasons of aborted signals pass. */
export function fromTransport(error: unknown, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason as Error;
  if (!Fault.is(error)) return Fault.from(error);
  if (error.code.startsWith("bmc.")) return error;
  if (error.code === "io.untrusted") return bmcFault("untrusted", error.message, { cause: error });
  if (error.code === "redfish.malformed") return bmcFault("malformed", error.message, { cause: error });
  if (error.code.startsWith("io.")) return bmcFault("unreachable", error.message, { cause: error });
  return error;
}

/** An answer that is no success. `asked` is `PATCH /redfish/v1/Systems/1`. Nothing that was sent is in the message. */
export function refusalOf(asked: string, { status, document }: Answer): Fault {
  const messages: Messages = document === undefined ? { ids: [], text: "" } : readMessages(document);
  const said = [messages.ids.join(", "), messages.text].filter(Boolean).join(": ");
  const message = `${asked}: ${status}${said === "" ? "" : ` ${said}`}`;
  const facts = { status, ids: messages.ids, isForFutureState: isForFutureState(messages) };
  if (isPasswordChange(messages)) {
    return bmcFault("denied", `the BMC wants its password changed before anything else (${message})`, { facts });
  }
  return bmcFault(codeOf(status, messages), message, { facts });
}

function codeOf(status: number, messages: Messages): Code {
  if (status === 401 || status === 403) return messages.ids.includes("SessionLimitExceeded") ? "busy" : "denied";
  if (status === 429 || status === 503 || isNotNow(messages)) return "busy";
  if (status === 405 || status === 501) return "unsupported";
  return "refused";
}
