/** Conditional and range requests (RFC 9110 §13, §14), decided before anything is read. */

export interface Validators {
  /** Quoted. Strong: the same for the same bytes only. */
  readonly etag: string;
  /** Whole seconds, in milliseconds since 1970. */
  readonly modified: number;
}

type Headers = Readonly<Record<string, string | undefined>>;

/** Bytes from `start` up to, not including, `end`. */
export type Selection =
  | { readonly status: 200 | 206; readonly start: number; readonly end: number }
  | { readonly status: 304 | 412 | 416 };

/** What a GET or HEAD of `size` bytes with these headers is answered with. */
export function select(headers: Headers, method: "GET" | "HEAD", size: number, validators: Validators): Selection {
  const precondition = preconditionOf(headers, validators);
  if (precondition !== undefined) return { status: precondition };
  const whole = { status: 200, start: 0, end: size } as const;
  const range = headers["range"];
  // RFC 9110 §14.2: there are ranges of GET only.
  if (range === undefined || method !== "GET" || !ifRange(headers["if-range"], validators)) return whole;
  return parseRange(range, size) ?? whole;
}

/** The order is that of RFC 9110 §13.2.2. */
function preconditionOf(headers: Headers, { etag, modified }: Validators): 304 | 412 | undefined {
  const match = headers["if-match"];
  const unmodified = parseDate(headers["if-unmodified-since"]);
  if (match !== undefined ? !isListed(match, etag) : unmodified !== undefined && modified > unmodified) return 412;
  const none = headers["if-none-match"];
  const since = parseDate(headers["if-modified-since"]);
  if (none !== undefined ? isListed(none.replaceAll(/W\//g, ""), etag) : since !== undefined && modified <= since) return 304;
  return undefined;
}

function isListed(list: string, etag: string): boolean {
  return list.trim() === "*" || list.split(",").some((each) => each.trim() === etag);
}

/** RFC 9110 §13.1.5: only what is surely the same may be continued. */
function ifRange(condition: string | undefined, { etag, modified }: Validators): boolean {
  if (condition === undefined) return true;
  return condition.startsWith('"') ? condition.trim() === etag : parseDate(condition) === modified;
}

/** Undefined for what is to be ignored: other units, malformed ranges, and several at once, which nothing that boots has a use for. */
function parseRange(text: string, size: number): Selection | undefined {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(text);
  if (match === null || (match[1] === "" && match[2] === "")) return undefined;
  const [first, last] = [match[1]!, match[2]!];
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? { status: 416 } : { status: 206, start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? { status: 416 } : { status: 206, start, end };
}

/** IMF-fixdate and the two obsolete forms (RFC 9110 §5.6.7). */
function parseDate(text: string | undefined): number | undefined {
  if (text === undefined || text.length > 64) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
