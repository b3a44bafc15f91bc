/** Whose doing it is: the other side of a wire, whoever called us, a defect of ours, or the world (disk full, no route). */
export type Blame = "peer" | "caller" | "ours" | "world";
/** When trying the same again can help. */
export type Retry = "soon" | "later" | "never";

const BRAND = Symbol.for("sidero.fault");

export interface FaultOptions {
  readonly fault: Blame;
  readonly retry: Retry;
  readonly cause?: unknown;
  /** Data, not prose: what a table at the edge needs to build a Status, an RPC error or an exit code. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class. `code` is `<layer>.<what>` from the layer's closed list, e.g. `api.not-found`, `io.no-space`.
 * The message is for people; nothing parses it. Expected outcomes are values, not faults.
 */
export class Fault extends Error {
  readonly [BRAND] = true;
  readonly code: string;
  readonly fault: Blame;
  readonly retry: Retry;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: FaultOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "Fault";
    this.code = code;
    this.fault = options.fault;
    this.retry = options.retry;
    this.facts = options.facts ?? {};
  }

  static is(value: unknown, code?: string): value is Fault {
    if (!(value instanceof Error) || !(BRAND in value)) return false;
    return code === undefined || (value as Fault).code === code;
  }

  /** The only door for foreign errors: a Fault passes through, anything else becomes a defect of ours with its cause kept. */
  static from(value: unknown): Fault {
    if (Fault.is(value)) return value;
    const message = value instanceof Error ? value.message : String(value);
    return new Fault("std.unexpected", message, { fault: "ours", retry: "later", cause: value });
  }
}
