/** What Talos says of itself (facts §8.3), as this layer sees it: read off the wire, with every list and text bounded by the reader. */

export type LinkEvent =
  | { readonly type: "address"; readonly hostname: string; readonly addresses: readonly string[] }
  | { readonly type: "config-validation-error" | "config-load-error"; readonly error: string }
  | { readonly type: "phase"; readonly phase: string; readonly action: "start" | "stop" }
  | { readonly type: "task"; readonly task: string; readonly action: "start" | "stop" }
  /** `action` in lower case: running, failed, … */
  | { readonly type: "service"; readonly service: string; readonly action: string; readonly message: string }
  | {
      readonly type: "sequence";
      readonly sequence: string;
      readonly action: "noop" | "start" | "stop";
      readonly error?: { readonly code: "fatal" | "locked" | "canceled"; readonly message: string };
    }
  /** A message this version does not know; it is answered and ignored. */
  | { readonly type: "unknown"; readonly name: string };
