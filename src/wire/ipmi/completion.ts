/** What it means when a BMC says no (IPMI 2.0 §5.2, table 5-2). */
import { Fault } from "#std/fault.ts";
import type { Blame, Retry } from "#std/fault.ts";
import { COMPLETION } from "./constants.ts";

/**
 * `busy`: not now. `denied`: not this user. `unsupported`: never. `refused`: not like this.
 * `bmc/ipmi` makes `bmc.busy` of `ipmi.busy` and so on.
 */
export type Refusal = "busy" | "denied" | "unsupported" | "refused";

/** What the codes from 0x80 to 0xbe mean for one command. */
export type CompletionTexts = Readonly<Record<number, readonly [Refusal, string]>>;

const TEXTS: CompletionTexts = {
  [COMPLETION.nodeBusy]: ["busy", "it is busy"],
  [COMPLETION.invalidCommand]: ["unsupported", "it does not know the command"],
  [COMPLETION.invalidForLun]: ["unsupported", "it does not know the command for this LUN"],
  [COMPLETION.timeout]: ["busy", "it took too long inside"],
  [COMPLETION.outOfSpace]: ["busy", "it is out of space"],
  [COMPLETION.reservationCancelled]: ["busy", "the reservation is cancelled"],
  [COMPLETION.truncated]: ["refused", "the request was cut short"],
  [COMPLETION.lengthInvalid]: ["refused", "the request has a wrong length"],
  [COMPLETION.lengthLimit]: ["refused", "the request is too long"],
  [COMPLETION.outOfRange]: ["refused", "a parameter is out of range"],
  [COMPLETION.cannotReturnBytes]: ["refused", "it cannot return so many bytes"],
  [COMPLETION.notPresent]: ["refused", "there is no such sensor, data or record"],
  [COMPLETION.invalidField]: ["refused", "a field of the request is invalid"],
  [COMPLETION.illegalForSensor]: ["refused", "the command is illegal for this sensor or record"],
  [COMPLETION.noResponse]: ["busy", "it could not provide a response"],
  [COMPLETION.duplicated]: ["busy", "it took the request for a duplicate"],
  [COMPLETION.repositoryUpdate]: ["busy", "its SDR repository is being updated"],
  [COMPLETION.firmwareUpdate]: ["busy", "its firmware is being updated"],
  [COMPLETION.initializing]: ["busy", "it is starting"],
  [COMPLETION.destinationUnavailable]: ["busy", "the destination is unavailable"],
  [COMPLETION.insufficientPrivilege]: ["denied", "the user's privilege is too low"],
  [COMPLETION.notInThisState]: ["refused", "it cannot do that in its present state"],
  [COMPLETION.subFunctionDisabled]: ["unsupported", "the function is disabled"],
  [COMPLETION.unspecified]: ["refused", "an unspecified error"],
};

const MANNERS: Readonly<Record<Refusal, readonly [Blame, Retry]>> = {
  busy: ["peer", "soon"],
  denied: ["caller", "later"],
  unsupported: ["peer", "never"],
  refused: ["peer", "later"],
};

/**
 * Fault `ipmi.busy` (peer, soon), `ipmi.denied` (caller, later), `ipmi.unsupported` (peer, never) or `ipmi.refused` (peer, later) for a
 * completion code other than 0, with the fact `completion`. `name` is the command's; `texts` explain its own codes.
 */
export function completionFault(name: string, completion: number, texts: CompletionTexts = {}): Fault {
  const [refusal, meaning] = texts[completion] ?? TEXTS[completion] ?? ["refused", "a code of its own"];
  const [fault, retry] = MANNERS[refusal];
  const code = `0x${completion.toString(16).padStart(2, "0")}`;
  return new Fault(`ipmi.${refusal}`, `the BMC answered "${name}" with ${code}: ${meaning}`, {
    fault,
    retry,
    facts: { completion, command: name },
  });
}
