/** What goes wrong with a Redfish service, as the Faults of `bmc.ts`. */
import type { Fault } from "#std/fault.ts";
import { isForFutureState, isNotNow, isPasswordChange, type Messages, readMessages } from "#wire/redfish/message.ts";
import { type BmcCode, bmcFault } from "../fault.ts";
import type { Answer } from "./exchange.ts";

/**
 * An answer that is no success. `asked` is `PATCH /redfish/v1/Systems/1`. `sent: "secret"`: services quote values that they do not like, so only what
 * kind of refusal it is is told.
 */
export function refusalOf(asked: string, { status, document }: Answer, sent: "plain" | "secret" = "plain"): Fault {
  const messages: Messages = document === undefined ? { ids: [], text: "" } : readMessages(document);
  const said = [messages.ids.join(", "), sent === "plain" ? messages.text : ""].filter(Boolean).join(": ");
  const message = `${asked}: ${status}${said === "" ? "" : ` ${said}`}`;
  const facts = { status, ids: messages.ids, isForFutureState: isForFutureState(messages) };
  if (isPasswordChange(messages)) {
    return bmcFault("denied", `the BMC wants its password changed before anything else (${message})`, { facts });
  }
  return bmcFault(codeOf(status, messages), message, { facts });
}

function codeOf(status: number, messages: Messages): BmcCode {
  if (status === 401 || status === 403) return messages.ids.includes("SessionLimitExceeded") ? "busy" : "denied";
  if (status === 429 || status === 503 || isNotNow(messages)) return "busy";
  if (status === 405 || status === 501) return "unsupported";
  return "refused";
}
