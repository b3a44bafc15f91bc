/** Texts in FRU areas and sensor records, behind one byte of type and length (IPMI 2.0 §43.15; FRU Information Storage 1.0 §13). */

const PLUS = "0123456789 -.???";
const LONGEST_SIX_BIT = 64;

/** `head`: the type in the two top bits, the length below. */
export function decodeText(head: number, bytes: Uint8Array): string {
  switch (head >> 6) {
    case 1:
      return tidy([...bytes].map((pair) => PLUS[pair >> 4]! + PLUS[pair & 0x0f]!).join(""));
    case 2:
      return tidy(sixBit(bytes));
    case 3:
      return tidy(String.fromCharCode(...bytes));
    default:
      // "Binary" in a FRU, Unicode in a sensor record. It is ASCII from those who did not read that.
      return isPrintable(bytes) ? tidy(String.fromCharCode(...bytes)) : "";
  }
}

/** Four characters in three bytes, from 0x20 on, least significant bits first. */
function sixBit(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of bytes.subarray(0, LONGEST_SIX_BIT)) {
    held |= byte << bits;
    bits += 8;
    for (; bits >= 6; bits -= 6, held >>= 6) text += String.fromCharCode(0x20 + (held & 0x3f));
  }
  return text;
}

function isPrintable(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0 || (byte >= 0x20 && byte < 0x7f));
}

/** Without padding, and without what would move a terminal's cursor. */
function tidy(text: string): string {
  return text
    .replaceAll("\0", " ")
    .replaceAll(/\p{Cc}/gu, ".")
    .trim();
}
