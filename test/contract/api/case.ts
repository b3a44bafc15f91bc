/** The language of the suite: a case is a name and what is sent, as data. What comes back is compared, not asserted. */
import type { Answer } from "./http.ts";

/**
 * One request. In `call`, string bodies, header values and strings inside object bodies, `$ns` is the case's own namespace, `$name`
 * whatever an earlier step saved under `name`.
 */
export interface Step {
  /** `GET /api/v1/namespaces/$ns/configmaps?limit=1`. */
  readonly call: string;
  /** Objects are sent as JSON; strings and bytes as they are. */
  readonly body?: unknown;
  /** Content-Type; default application/json. */
  readonly type?: string;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** variable → dotted path into the answer. */
  readonly save?: Readonly<Record<string, string>>;
  /** Repeats (10 s at most) until the answer satisfies this: for what a server does in its own time. */
  readonly until?: (status: number, body: unknown) => boolean;
  /** Compares only these dotted paths of the body, and the status. */
  readonly only?: readonly string[];
  /** Changes the body before it is compared: where an answer's size or content is the server's own affair. */
  readonly view?: (body: unknown, answer: Answer) => unknown;
  /** Makes the answer of no account: the step only prepares. A failure (4xx, 5xx) of it is compared all the same. */
  readonly quiet?: boolean;
}

/** A watch that is opened, then `during` happens, then `count` events have come. BOOKMARKs count only when asked for. */
export interface WatchStep {
  readonly watch: string;
  readonly accept?: string;
  readonly during?: readonly Step[];
  readonly count: number;
  readonly bookmarks?: boolean;
}

export interface Case {
  readonly name: string;
  readonly steps: readonly (Step | WatchStep)[];
  /** Needs the genuine garbage collector beside the genuine server. */
  readonly collector?: boolean;
  /** Namespace to work in; default one of its own. */
  readonly namespace?: string;
}

export function isRefusal(status: number): boolean {
  return status >= 400;
}

export function isWatch(step: Step | WatchStep): step is WatchStep {
  return "watch" in step;
}

/** Value at a dotted path (`metadata.uid`, `items.0.metadata.name`); undefined where there is none. */
export function at(value: unknown, path: string): unknown {
  let here = value;
  for (const key of path.split(".")) {
    if (typeof here !== "object" || here === null) return undefined;
    here = (here as Record<string, unknown>)[key];
  }
  return here;
}
