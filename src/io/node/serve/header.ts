/** Header values as node takes them: one character per byte, none of them a control character. */
import type { Outgoing } from "../../serve.ts";

const UNFIT = /[^\t\x20-\x7e]/;
const CONTROL = /[^\t\x20-\x7e\x80-\u{10ffff}]/gu;

/** Texts beyond ASCII go out as UTF-8, as Kubernetes sends them; control characters as spaces: nobody writes a header with a header. */
export function wireHeaders(headers: Outgoing["headers"]): Record<string, string | string[]> {
  const fit: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name]!;
    fit[name] = typeof value === "string" ? wireText(value) : value.map(wireText);
  }
  return fit;
}

function wireText(value: string): string {
  return UNFIT.test(value) ? Buffer.from(value.replace(CONTROL, " ")).toString("latin1") : value;
}
