/** A DHCPv4 message (RFC 2131 §2) and its options (RFC 2132 and others) as values. IPv4 addresses are dotted quads. */
import type { Duration } from "#std/duration.ts";
import type { MESSAGE_TYPES } from "./constants.ts";

/** Field names are those of RFC 2131 §2, figure 1. */
export interface Packet {
  /** BOOTREQUEST comes from clients and relays, BOOTREPLY from servers. */
  readonly op: "request" | "reply";
  /** Hardware type: 1 is Ethernet. */
  readonly htype: number;
  /** Relays passed. */
  readonly hops: number;
  /** Transaction, 32 bits. */
  readonly xid: number;
  /** Seconds since the client began, as it says. */
  readonly secs: number;
  /** 16 bits; `BROADCAST` is the only one defined. */
  readonly flags: number;
  /** The client's address, if it can answer ARP there; `0.0.0.0` if not, as in the three below. */
  readonly ciaddr: string;
  /** "Your" address: what the server gives. */
  readonly yiaddr: string;
  /** The server to boot from. */
  readonly siaddr: string;
  /** The relay that passed the message on first. */
  readonly giaddr: string;
  /** Hardware address, up to 16 bytes; 6 on Ethernet, 0 on InfiniBand (RFC 4390). */
  readonly chaddr: Uint8Array;
  /** Server name, up to 63 characters; empty when not given, and when the field carries options. One character per byte. */
  readonly sname: string;
  /** Boot file, up to 127 characters; else as `sname`. */
  readonly file: string;
  readonly options: Options;
  /** Options that have no name here, in the order of their codes, each code once. */
  readonly others?: readonly RawOption[];
  /** Decoded only: known options with a value that is none of theirs. They count as absent; encoders leave them out. */
  readonly malformed?: readonly MalformedOption[];
}

export interface RawOption {
  readonly code: number;
  readonly value: Uint8Array;
}

export interface MalformedOption extends RawOption {
  /** The first byte of the option in the message. */
  readonly offset: number;
  readonly problem: string;
}

export type MessageType = (typeof MESSAGE_TYPES)[number];

/** Texts hold one character per byte; trailing NULs are cut (RFC 2132 §2). Times are whole seconds on the wire; Infinity is forever. */
export interface Options {
  /** 1, RFC 2132 §3.3. */
  readonly subnetMask?: string;
  /** 3, RFC 2132 §3.5, the preferred one first. */
  readonly routers?: readonly string[];
  /** 6, RFC 2132 §3.8. */
  readonly dnsServers?: readonly string[];
  /** 12, RFC 2132 §3.14. */
  readonly hostName?: string;
  /** 15, RFC 2132 §3.17. */
  readonly domainName?: string;
  /** 26, RFC 2132 §5.1: bytes. */
  readonly interfaceMtu?: number;
  /** 28, RFC 2132 §5.3. */
  readonly broadcastAddress?: string;
  /** 42, RFC 2132 §8.3. */
  readonly ntpServers?: readonly string[];
  /** 43, RFC 2132 §8.4: what it means depends on the vendor class; a PXE client's is read by `decodePxe`. */
  readonly vendorSpecific?: Uint8Array;
  /** 50, RFC 2132 §9.1. */
  readonly requestedAddress?: string;
  /** 51, RFC 2132 §9.2. */
  readonly leaseTime?: Duration;
  /** 53, RFC 2132 §9.6; a message without it is BOOTP. */
  readonly messageType?: MessageType;
  /** 54, RFC 2132 §9.7. */
  readonly serverId?: string;
  /** 55, RFC 2132 §9.8: codes. */
  readonly parameterRequestList?: readonly number[];
  /** 56, RFC 2132 §9.9: why a NAK or DECLINE. */
  readonly message?: string;
  /** 57, RFC 2132 §9.10: bytes; hand it to `encode`. */
  readonly maxMessageSize?: number;
  /** 58, RFC 2132 §9.11: T1. */
  readonly renewalTime?: Duration;
  /** 59, RFC 2132 §9.12: T2. */
  readonly rebindingTime?: Duration;
  /** 60, RFC 2132 §9.13: `PXEClient:Arch:00007:UNDI:003016`. */
  readonly vendorClass?: string;
  /** 61, RFC 2132 §9.14: a type (1: Ethernet) and an identifier. */
  readonly clientId?: Uint8Array;
  /** 66, RFC 2132 §9.4. */
  readonly tftpServerName?: string;
  /** 67, RFC 2132 §9.5. */
  readonly bootFile?: string;
  /** 77, RFC 3004. */
  readonly userClass?: UserClass;
  /** 82, RFC 3046: sub-options in the order the relay wrote them; a server gives them back as they are. */
  readonly relayAgent?: readonly RawOption[];
  /** 93, RFC 4578 §2.1: numbers of the registry in `architecture.ts`. */
  readonly clientArchitectures?: readonly number[];
  /** 94, RFC 4578 §2.2. */
  readonly clientInterface?: NetworkInterface;
  /** 97, RFC 4578 §2.3: sixteen bytes as they came; `client.ts` knows their order. */
  readonly clientUuid?: Uint8Array;
  /** 119, RFC 3397. */
  readonly domainSearch?: readonly string[];
  /** 121, RFC 3442. */
  readonly classlessRoutes?: readonly Route[];
  /** 150, RFC 5859. */
  readonly tftpServers?: readonly string[];
  /** 175, iPXE's encapsulated options; read by `decodeIpxe`. */
  readonly ipxe?: readonly RawOption[];
}

export interface UserClass {
  readonly classes: readonly string[];
  /** One text without its length before it, as iPXE and Microsoft send it, against RFC 3004 §4. */
  readonly isBare: boolean;
}

/** RFC 4578 §2.2: 1 is UNDI, `major` and `minor` its version. */
export interface NetworkInterface {
  readonly type: number;
  readonly major: number;
  readonly minor: number;
}

export interface Route {
  /** The network's address, bits past the prefix zero. */
  readonly destination: string;
  readonly prefixLength: number;
  readonly router: string;
}
