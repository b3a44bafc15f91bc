/** The framing of DHCPv4 options: a code, a length, that many bytes (RFC 2132 §2). */
import { concat } from "#std/bytes.ts";
import { END, PAD } from "./constants.ts";
import { callerFault, peerFault } from "./fault.ts";
import type { FramedOption } from "./option-set.ts";
import type { RawOption } from "./packet.ts";

/** Longest value of one option; longer ones go in several (RFC 3396). */
export const MAX_VALUE_LENGTH = 255;

/**
 * The options in `bytes` from `from` to before `to`, one entry per instance, values as views. What follows End is padding; a
 * missing End is forgiven. `dhcp.truncated` when an option runs past `to`.
 */
export function frame(bytes: Uint8Array, from: number, to: number): FramedOption[] {
  const { framed, cut } = scan(bytes, from, to, true);
  if (cut === undefined) return framed;
  throw peerFault("dhcp.truncated", cut, `option ${bytes[cut]} ends after byte ${to}, where its field does`);
}

/**
 * The options inside the value of another, undefined when one runs past its end; values are copies. `hasMarks`: Pad and End are
 * what they are outside; a relay agent's sub-options have neither (RFC 3046 §2.0).
 */
export function frameValue(value: Uint8Array, hasMarks: boolean): RawOption[] | undefined {
  const { framed, cut } = scan(value, 0, value.length, hasMarks);
  return cut === undefined ? framed.map(({ code, value: inner }) => ({ code, value: inner.slice() })) : undefined;
}

/** `cut`: where an option begins that does not end before `to`. */
function scan(bytes: Uint8Array, from: number, to: number, hasMarks: boolean): { framed: FramedOption[]; cut?: number } {
  const framed: FramedOption[] = [];
  let at = from;
  while (at < to) {
    const code = bytes[at]!;
    if (hasMarks && code === END) break;
    if (hasMarks && code === PAD) {
      at++;
      continue;
    }
    const start = at + 2;
    const end = start + (bytes[at + 1] ?? 0);
    if (start > to || end > to) return { framed, cut: at };
    framed.push({ code, value: bytes.subarray(start, end), offset: at, valueOffset: start });
    at = end;
  }
  return { framed };
}

/**
 * One entry per code, the values of several instances joined in their order (RFC 3396 §7). The offset of a joined option is
 * that of its first instance.
 */
export function join(framed: readonly FramedOption[]): FramedOption[] {
  const byCode = Map.groupBy(framed, ({ code }) => code);
  return Array.from(byCode.values(), (instances) => {
    const first = instances[0]!;
    return instances.length === 1 ? first : { ...first, value: concat(instances.map(({ value }) => value)) };
  }).sort((a, b) => a.code - b.code);
}

/** One instance, code and length before the value; at most 255 bytes. */
export function writeOption({ code, value }: RawOption): Uint8Array {
  if (!Number.isInteger(code) || code < 0 || code > 255)
    throw callerFault("dhcp.unencodable", `option ${code}`, "no code of one byte");
  if (value.length > MAX_VALUE_LENGTH)
    throw callerFault("dhcp.no-room", `option ${code}`, `${value.length} bytes are more than 255`);
  return concat([Uint8Array.of(code, value.length), value]);
}
