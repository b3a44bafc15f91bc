/** Numbers of RFC 2131, RFC 2132 and IANA's bootp-dhcp-parameters, and the bounds we put on messages. */

/** UDP ports: RFC 2131 §4.1, PXE 2.1 §2.2.4 (the boot server of a proxy). */
export const SERVER_PORT = 67;
export const CLIENT_PORT = 68;
export const PXE_PORT = 4011;

/** RFC 2131 §2, figure 1: offsets of the header's fields; the options begin after the cookie. */
export const HEADER = {
  op: 0,
  htype: 1,
  hlen: 2,
  hops: 3,
  xid: 4,
  secs: 8,
  flags: 10,
  ciaddr: 12,
  yiaddr: 16,
  siaddr: 20,
  giaddr: 24,
  chaddr: 28,
  sname: 44,
  file: 108,
  cookie: 236,
  options: 240,
} as const;

/** RFC 2131 §3: the first four bytes of the options field. */
export const MAGIC_COOKIE = 0x63825363;
/** RFC 2131 §2, figure 2: the one flag, "answer by broadcast". */
export const BROADCAST = 0x8000;
/** IANA hardware types: Ethernet. */
export const ETHERNET = 1;

/** RFC 1542 §2.1: relays and clients may drop a message that is shorter than BOOTP's. */
export const MIN_MESSAGE_LENGTH = 300;
/** RFC 2131 §2: the datagram every client takes, headers included; option 57 may say more, never less. */
export const MIN_MAX_MESSAGE_SIZE = 576;
/** What one Ethernet frame carries: EDK2 says 65280 in option 57, but firmware does not put fragments together. */
export const ETHERNET_MTU = 1500;
/** IP without options, and UDP: option 57 is taken to count them, as the careful reading of RFC 2132 §9.10. */
export const IP_UDP_LENGTH = 28;
/** Longer than any DHCP message on a network; bounds the work one datagram can cause. */
export const MAX_MESSAGE_LENGTH = 8192;

/** Options without a length (RFC 2132 §3.1, §3.2), overload (§9.3), and two whose place matters. */
export const PAD = 0;
export const OVERLOAD = 52;
export const MESSAGE_TYPE = 53;
export const RELAY_AGENT = 82;
export const END = 255;

/** RFC 2132 §9.6 and the registry: option 53 counts from 1. */
export const MESSAGE_TYPES = [
  "discover",
  "offer",
  "request",
  "decline",
  "ack",
  "nak",
  "release",
  "inform",
  "force-renew",
  "lease-query",
  "lease-unassigned",
  "lease-unknown",
  "lease-active",
  "bulk-lease-query",
  "lease-query-done",
  "active-lease-query",
  "lease-query-status",
  "tls",
] as const;

/** Sub-options of option 82 (RFC 3046 §2, RFC 3527, RFC 3993, RFC 5107). */
export const RELAY = { circuitId: 1, remoteId: 2, linkSelection: 5, subscriberId: 6, serverIdOverride: 11 } as const;
