/** Numbers of RFC 8415 and the registry dhcpv6-parameters. */

/** RFC 8415 §7.2. */
export const CLIENT_PORT = 546;
export const SERVER_PORT = 547;
/** RFC 8415 §7.1: where clients and relays send to. */
export const RELAYS_AND_SERVERS = "ff02::1:2";
export const SERVERS = "ff05::1:3";

/** RFC 8415 §7.3: counts from 1; the two of relays follow with 12 and 13. */
export const MESSAGE_TYPES = [
  "solicit",
  "advertise",
  "request",
  "confirm",
  "renew",
  "rebind",
  "reply",
  "release",
  "decline",
  "reconfigure",
  "information-request",
] as const;
export const RELAY_FORWARD = 12;
export const RELAY_REPLY = 13;

export const RELAY_MESSAGE = 9;

/** The limit of RFC 3315 §5.5; that of RFC 8415 §7.6 is 8. Relays of the former still pass 32 on. */
export const MAX_RELAYS = 32;

/** RFC 8415 §21.13. */
export const STATUS = {
  success: 0,
  unspecFail: 1,
  noAddrsAvail: 2,
  noBinding: 3,
  notOnLink: 4,
  useMulticast: 5,
  noPrefixAvail: 6,
} as const;

/** Enterprise number under which PXE's vendor class goes: Intel's (UEFI §24.3.1). */
export const INTEL = 343;
