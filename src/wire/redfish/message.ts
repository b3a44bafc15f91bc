/** What a service says about a request: the messages of an error or a success (DSP0266 §8.6, DSP0268 Message). */
import { type Document, items, section, text, texts } from "./document.ts";

export interface Messages {
  /** Their MessageIds without registry and version: `PropertyValueNotInList`. */
  readonly ids: readonly string[];
  /** In words, for people. */
  readonly text: string;
}

const MOST_SHOWN = 400;

export function readMessages(document: Document): Messages {
  const error = section(document, "error");
  const info = [error, document].map((holder) => items(holder, "@Message.ExtendedInfo")).find((list) => list.length > 0) ?? [];
  const said = info.map(
    (message) => text(message, "Message") ?? [idOf(message), ...texts(message, "MessageArgs")].filter(Boolean).join(" "),
  );
  const words = said.some(Boolean) ? said : [text(error, "message") ?? text(error, "code") ?? ""];
  const ids = [...info.map(idOf), lastPart(text(error, "code"))].filter((id) => id !== undefined);
  return { ids, text: [...new Set(words.filter(Boolean))].join(" ").slice(0, MOST_SHOWN) };
}

function idOf(message: Document): string | undefined {
  return lastPart(text(message, "MessageId") ?? text(message, "MessageID"));
}

function lastPart(id: string | undefined): string | undefined {
  return id?.split(".").at(-1);
}

/** Ids of the standard's Base registry and of vendors that mean: the same request may well be taken in a while. */
const NOT_NOW = new Set([
  "ServiceTemporarilyUnavailable",
  "ServiceInUnknownState",
  "ServiceShuttingDown",
  "ResourceInUse",
  "ResourceInStandby",
  "SessionLimitExceeded",
  "CouldNotEstablishConnection",
  "OperationTimeout",
  // HPE iLO, while the firmware of the machine starts (ironcore-dev/metal-operator#997).
  "UnableToModifyDuringSystemPOST",
  "ResourceBeingFlashed",
  "iLOResetInProgress",
  // Dell: the Lifecycle Controller is at something else.
  "SYS518",
  "RAC0720",
]);
const NOT_NOW_WORDS =
  /\b(?:in|during)\s+(?:system\s+)?POST\b|temporarily unavailable|data sources? (?:is|are) unavailable|retry (?:the operation )?(?:after|in) \S+ (?:seconds?|minutes?)|another (?:operation|job) is in progress/i;

export function isNotNow({ ids, text: words }: Messages): boolean {
  return ids.some((id) => NOT_NOW.has(id)) || NOT_NOW_WORDS.test(words);
}

/** AMI's way to say that a setting is to be made in `…/SD` (DMTF/Redfish-Tacklebox#144). */
export function isForFutureState({ ids, text: words }: Messages): boolean {
  return ids.includes("OperationSupportedInFutureStateURI") || /FutureState\s*URI/i.test(words);
}

/** The password has to be changed before anything else is answered (DSP0266 §13.5). */
export function isPasswordChange({ ids }: Messages): boolean {
  return ids.includes("PasswordChangeRequired");
}
