/** Router solicitation and advertisement (RFC 4861 §4.1, §4.2), as far as one who is no router has to say. */
import { uintBytes } from "#std/bytes.ts";

export const ROUTER_SOLICITATION = 133;
const ROUTER_ADVERTISEMENT = 134;
/** RFC 4291 §2.7.1. */
export const ALL_NODES = "ff02::1";
export const ALL_ROUTERS = "ff02::2";

export interface RouterAdvertisement {
  /** Addresses are given by DHCPv6. */
  readonly isManaged: boolean;
  /** Other things are told by DHCPv6. */
  readonly hasOther: boolean;
  /** Seconds for which the sender is a default router; 0: it is none. */
  readonly routerLifetime: number;
}

/** The message from its type on, checksum left to the kernel (RFC 3542 §3.1); hop limit and timers unspecified. */
export function encodeRouterAdvertisement({ isManaged, hasOther, routerLifetime }: RouterAdvertisement): Uint8Array {
  const message = new Uint8Array(16);
  message[0] = ROUTER_ADVERTISEMENT;
  message[5] = (isManaged ? 0x80 : 0) | (hasOther ? 0x40 : 0);
  message.set(uintBytes(routerLifetime, 2), 6);
  return message;
}
