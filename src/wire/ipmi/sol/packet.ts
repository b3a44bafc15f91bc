/** The serial console's packets (IPMI 2.0 §15.9). */
import { concat } from "#std/bytes.ts";
import { malformed } from "../reader.ts";

export interface SolPacket {
  /** 1 to 15; 0: nothing to acknowledge, no characters. */
  readonly sequence: number;
  /** Which packet of the other side this is about; 0: about none. */
  readonly acknowledges: number;
  /** How many characters of it were taken. */
  readonly accepted: number;
  /** Bits of OPERATION to the BMC, of STATUS from it. */
  readonly flags: number;
  readonly data: Uint8Array;
}

/** To the BMC. */
export const OPERATION = {
  nack: 0x40,
  ring: 0x20,
  break: 0x10,
  pause: 0x08,
  drop: 0x04,
  flushInbound: 0x02,
  flushOutbound: 0x01,
} as const;
/** From it. `unavailable`: no characters can be taken, the machine is off; `deactivating`: this is the end. */
export const STATUS = { nack: 0x40, unavailable: 0x20, deactivating: 0x10, overrun: 0x08, break: 0x04 } as const;

export const SOL_HEADER = 4;

export function encodeSol({ sequence, acknowledges, accepted, flags, data }: SolPacket): Uint8Array {
  return concat([Uint8Array.of(sequence, acknowledges, accepted, flags), data]);
}

/** Throws Fault `ipmi.malformed`. */
export function decodeSol(payload: Uint8Array): SolPacket {
  if (payload.length < SOL_HEADER) throw malformed("SOL packet", `${payload.length} bytes are too few`);
  return {
    sequence: payload[0]! & 0x0f,
    acknowledges: payload[1]! & 0x0f,
    accepted: payload[2]!,
    flags: payload[3]!,
    data: payload.slice(SOL_HEADER),
  };
}
