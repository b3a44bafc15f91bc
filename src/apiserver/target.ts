/** The request target (RFC 9112 §3.2) as path and query. */

export interface Target {
  /** Percent-decoded; bytes that are not UTF-8 become U+FFFD. */
  readonly path: string;
  readonly query: URLSearchParams;
}

const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/** Undefined for what is no target: `*`, a path that does not start with a slash, `%` without two hexadecimal digits. */
export function parseTarget(target: string): Target | undefined {
  const origin = target.startsWith("/") ? target : target.replace(ABSOLUTE_FORM, "");
  const mark = origin.indexOf("?");
  const raw = mark < 0 ? origin : origin.slice(0, mark);
  const path = raw === "" && origin !== target ? "/" : decode(raw);
  if (path === undefined || !path.startsWith("/")) return undefined;
  return { path, query: parseQuery(mark < 0 ? "" : origin.slice(mark + 1)) };
}

/** Without what Go's `url.ParseQuery` passes over in silence: malformed escapes, and the semicolons that once separated parameters. */
function parseQuery(text: string): URLSearchParams {
  const parameters = text.split("&").filter((parameter) => !/%(?![0-9a-fA-F]{2})|;/.test(parameter));
  return new URLSearchParams(parameters.join("&"));
}

/** Undefined for a malformed escape. */
function decode(text: string): string | undefined {
  if (!text.includes("%")) return text;
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  // URLSearchParams decodes as the WHATWG says, replacing what is not UTF-8; the signs it treats otherwise are escaped first.
  const escaped = text.replace(/[+&=]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);
  return new URLSearchParams(`=${escaped}`).get("")!;
}
