/** The framing of DHCPv6 options: a code, a length, two bytes each, that many bytes (RFC 8415 §21.1). */
import { concat, readUint, uintBytes } from "#std/bytes.ts";
import { callerFault, peerFault } from "../fault.ts";
import type { FramedOption } from "../option-set.ts";
import type { RawOption } from "../packet.ts";

/** The options of `bytes` from `from` on, values as views. `dhcp.truncated` when one runs past the end. */
export function frame(bytes: Uint8Array, from: number, base: number): FramedOption[] {
  const { framed, cut } = scan(bytes, from, base);
  if (cut === undefined) return framed;
  throw peerFault("dhcp.truncated", base + cut, `option ${readUint(bytes, cut, 2)} ends after what holds it does`);
}

/** The options inside the value of another; undefined when one runs past its end. */
export function frameValue(value: Uint8Array, from: number, base: number): FramedOption[] | undefined {
  const { framed, cut } = scan(value, from, base);
  return cut === undefined ? framed : undefined;
}

/** `cut`: where an option begins that does not end within `bytes`. */
function scan(bytes: Uint8Array, from: number, base: number): { framed: FramedOption[]; cut?: number } {
  const framed: FramedOption[] = [];
  let at = from;
  while (at < bytes.length) {
    const start = at + 4;
    const end = start + readUint(bytes, at + 2, 2);
    if (end > bytes.length) return { framed, cut: at };
    framed.push({
      code: readUint(bytes, at, 2),
      value: bytes.subarray(start, end),
      offset: base + at,
      valueOffset: base + start,
    });
    at = end;
  }
  return { framed };
}

export function writeOption({ code, value }: RawOption): Uint8Array {
  if (!Number.isInteger(code) || code < 0 || code > 0xffff) {
    throw callerFault("dhcp.unencodable", `option ${code}`, "no code of two bytes");
  }
  if (value.length > 0xffff) throw callerFault("dhcp.no-room", `option ${code}`, `${value.length} bytes are more than 65535`);
  return concat([uintBytes(code, 2), uintBytes(value.length, 2), value]);
}
