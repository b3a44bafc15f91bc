/** Warning headers (RFC 7234 §5.5) as kubectl prints them. */

/** Characters of all texts together beyond which each is cut, and to what; the sum of cut texts is bounded by the former. */
const TOTAL = 4096;
const EACH = 256;

/** One header value per distinct text; texts with control characters cannot be sent and are left out, as Kubernetes does. */
export function warningHeaders(texts: readonly string[]): string[] {
  const distinct = [...new Set(texts)].filter((text) => text !== "").map((text) => Array.from(text));
  const total = distinct.reduce((sum, characters) => sum + characters.length, 0);
  const cut = total <= TOTAL ? distinct : distinct.map((characters) => characters.slice(0, EACH));
  const headers: string[] = [];
  let written = 0;
  for (const characters of cut) {
    if (written >= TOTAL) break;
    const text = characters.join("");
    if (/\p{Cc}/u.test(text)) continue;
    written += characters.length;
    headers.push(`299 - "${text.replace(/["\\]/g, "\\$&")}"`);
  }
  return headers;
}
