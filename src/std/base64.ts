/** Base64 (RFC 4648 §4) of text, without bytes in between. */

const ALPHABET = /^[A-Za-z0-9+/]$/;

/** The standard encoding of `text` in UTF-8. */
export function encodeBase64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = "";
  for (let i = 0; i < bytes.length; i += 4096) binary += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return btoa(binary);
}

/**
 * The same bytes in canonical form: line breaks removed, unused bits cleared. For text that is no base64, the position that
 * Go's decoder names (`illegal base64 data at input byte 3`).
 */
export function canonicalBase64(text: string): { base64: string } | { illegalAt: number } {
  const base64 = text.replaceAll(/[\r\n]/g, "");
  if (base64.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
    return { base64: base64.endsWith("=") ? base64.slice(0, -4) + btoa(atob(base64.slice(-4))) : base64 };
  }
  return { illegalAt: illegalPosition(text) };
}

/** Follows Go's decoder, four characters at a time; text is known to be faulty. */
function illegalPosition(text: string): number {
  let inQuantum = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === "\r" || character === "\n") continue;
    if (ALPHABET.test(character)) {
      inQuantum = (inQuantum + 1) % 4;
      continue;
    }
    if (character !== "=" || inQuantum < 2) return i;
    const rest = text.slice(i + 1).search(/[^\r\n]/);
    const next = rest < 0 ? text.length : i + 1 + rest;
    if (inQuantum === 3) return next;
    if (text[next] !== "=") return next === text.length ? next : next - 1;
    const after = text.slice(next + 1).search(/[^\r\n]/);
    return after < 0 ? text.length : next + 1 + after;
  }
  return text.length - inQuantum;
}
