/** An event as text: a line of the machine's timeline, and what deserves a Kubernetes Event as well. */
import { isPlannedReboot } from "./effect.ts";
import type { LinkEvent } from "./event.ts";

export interface Story {
  /** One line, without control characters. */
  readonly line: string;
  /** Of a Kubernetes Event with the line as its message; most events make none. */
  readonly event?: { readonly type: "Normal" | "Warning"; readonly reason: string };
}

/** A Kubernetes Event's message has at most 1024 characters. */
const LONGEST = 1000;

/** Undefined for what is ignored. */
export function storyOf(event: LinkEvent): Story | undefined {
  const story = tell(event);
  return story && { ...story, line: story.line.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ").slice(0, LONGEST) };
}

function tell(event: LinkEvent): Story | undefined {
  switch (event.type) {
    case "address":
      return { line: `addresses of ${event.hostname || "a machine without name"}: ${event.addresses.join(", ") || "none"}` };
    case "config-validation-error":
      return warning("TalosConfigValidationFailed", `configuration is not valid: ${event.error}`);
    case "config-load-error":
      return warning("TalosConfigLoadFailed", `configuration was not loaded: ${event.error}`);
    case "phase":
      if (event.phase === "install" && event.action === "start") return normal("TalosInstalling", "installation begins");
      return { line: `phase ${event.phase}: ${event.action}` };
    case "task":
      return { line: `task ${event.task}: ${event.action}` };
    case "service": {
      const line = `service ${event.service}: ${event.action}${event.message === "" ? "" : `: ${event.message}`}`;
      return event.action === "failed" ? warning("TalosServiceFailed", line) : { line };
    }
    case "sequence":
      return tellSequence(event);
    case "unknown":
      return undefined;
  }
}

function tellSequence({ sequence, action, error }: LinkEvent & { type: "sequence" }): Story {
  if (action !== "noop") {
    const line = `sequence ${sequence}: ${action}`;
    return sequence === "boot" && action === "start" ? normal("TalosBooting", line) : { line };
  }
  if (error === undefined) return { line: `sequence ${sequence}: nothing to do` };
  if (isPlannedReboot(error.message)) {
    const line = `sequence ${sequence} ends with a reboot`;
    return sequence === "install" ? normal("TalosInstalled", line) : { line };
  }
  const line = `sequence ${sequence} failed (${error.code}): ${error.message}`;
  // Locked and cancelled: another sequence has taken over, which says itself how it goes.
  return error.code === "fatal" ? warning("TalosSequenceFailed", line) : { line };
}

function normal(reason: string, line: string): Story {
  return { line, event: { type: "Normal", reason } };
}

function warning(reason: string, line: string): Story {
  return { line, event: { type: "Warning", reason } };
}
