import { Fault } from "#std/fault.ts";

/**
 * What can be wrong with DHCP bytes (`peer`, with `facts.offset`, the byte of the message), and with a packet handed to an encoder
 * (`caller`). Trying again never helps.
 *
 * - `dhcp.not-dhcp`: other bytes than a DHCP message has: no magic cookie, no such operation or message type.
 * - `dhcp.truncated`: a field or an option ends after the bytes do.
 * - `dhcp.malformed`: an option that the protocol itself rests on has an impossible value.
 * - `dhcp.too-long`, `dhcp.too-deep`: past the bounds in `constants.ts`.
 * - `dhcp.unencodable`: a value that the wire has no form for.
 * - `dhcp.no-room`: the options do not fit into the largest message the other side takes.
 */
export type DhcpCode =
  | "dhcp.not-dhcp"
  | "dhcp.truncated"
  | "dhcp.malformed"
  | "dhcp.too-long"
  | "dhcp.too-deep"
  | "dhcp.unencodable"
  | "dhcp.no-room";

/** Bytes of the other side that are wrong at `offset`, counted from the beginning of the message. */
export function peerFault(code: DhcpCode, offset: number, problem: string): Fault {
  return new Fault(code, `DHCP, byte ${offset}: ${problem}`, { fault: "peer", retry: "never", facts: { offset } });
}

/** A packet that cannot be written; `field` names what is in the way. */
export function callerFault(code: DhcpCode, field: string, problem: string): Fault {
  return new Fault(code, `DHCP, ${field}: ${problem}`, { fault: "caller", retry: "never", facts: { field } });
}
