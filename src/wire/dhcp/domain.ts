/** Lists of domain names as DNS writes them: RFC 1035 §3.1, and in DHCPv4 also compressed as in §4.1.4. */
import { concat, fromLatin1, toLatin1 } from "#std/bytes.ts";
import type { Codec } from "./codec.ts";
import { every } from "./codec.ts";

const MAX_NAME_LENGTH = 255;
/** Search lists have a handful; compression could make thousands of long ones out of a datagram. */
const MAX_NAMES = 64;
/** The characters a label may have here: printable ASCII without the dot, so that a name's text has one reading. */
const LABEL = /^[!-\-/-~]{1,63}$/;

/** `mayCompress`: RFC 3397 allows pointers into the same option, RFC 8415 §10 forbids them. We write without. */
export function domainList(mayCompress: boolean): Codec<readonly string[]> {
  return {
    form: "a list of domain names",
    read(bytes) {
      const names: string[] = [];
      for (let at = 0; at < bytes.length;) {
        const name = readName(bytes, at, mayCompress);
        if (name === undefined || names.length === MAX_NAMES) return undefined;
        names.push(name.text);
        at = name.end;
      }
      return names.length > 0 ? names : undefined;
    },
    write(names) {
      const parts = names.length > 0 && names.length <= MAX_NAMES ? every(names.map(writeName)) : undefined;
      return parts && concat(parts);
    },
  };
}

/** The name at `start` and where it ends there. Pointers lead backwards only, so there are no loops (RFC 1035 §4.1.4, "prior"). */
function readName(bytes: Uint8Array, start: number, mayCompress: boolean): { text: string; end: number } | undefined {
  const labels: string[] = [];
  let [at, before, end, length] = [start, start, -1, 1];
  for (;;) {
    const size = bytes[at];
    if (size === undefined) return undefined;
    if (size >= 0xc0) {
      const target = ((size & 0x3f) << 8) | (bytes[at + 1] ?? 0);
      if (!mayCompress || at + 1 >= bytes.length || target >= before) return undefined;
      if (end < 0) end = at + 2;
      at = before = target;
      continue;
    }
    if (size === 0) break;
    length += 1 + size;
    const label = toLatin1(bytes.subarray(at + 1, at + 1 + size));
    if (length > MAX_NAME_LENGTH || label.length !== size || !LABEL.test(label)) return undefined;
    labels.push(label);
    at += 1 + size;
  }
  return labels.length > 0 ? { text: labels.join("."), end: end < 0 ? at + 1 : end } : undefined;
}

function writeName(name: string): Uint8Array | undefined {
  const labels = name.split(".");
  if (name.length + 2 > MAX_NAME_LENGTH || !labels.every((label) => LABEL.test(label))) return undefined;
  return concat([...labels.flatMap((label) => [Uint8Array.of(label.length), fromLatin1(label)!]), Uint8Array.of(0)]);
}
