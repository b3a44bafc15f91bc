/** A DHCPv6 message (RFC 8415 §8, §9) and its options as values. IPv6 addresses are in the form of RFC 5952. */
import type { Duration } from "#std/duration.ts";
import type { MalformedOption, NetworkInterface, RawOption } from "../packet.ts";
import type { MESSAGE_TYPES } from "./constants.ts";

export type Packet = Message | Relay;

export type MessageType = (typeof MESSAGE_TYPES)[number];

/** Between client and server. */
export interface Message {
  readonly kind: "message";
  readonly type: MessageType;
  /** 24 bits. */
  readonly transactionId: number;
  readonly options: Options;
  /** Options without a name here, in their order. */
  readonly others?: readonly RawOption[];
  /** As in DHCPv4. */
  readonly malformed?: readonly MalformedOption[];
}

/** What a relay puts around a message, or around another relay's. */
export interface Relay {
  readonly kind: "relay";
  readonly type: "relay-forward" | "relay-reply";
  readonly hopCount: number;
  /** Tells the link of the client; `::` when the relay knows it by the interface. */
  readonly linkAddress: string;
  /** Of whom the relay had the message. */
  readonly peerAddress: string;
  readonly message: Packet;
  readonly options: RelayOptions;
  readonly others?: readonly RawOption[];
  readonly malformed?: readonly MalformedOption[];
}

export interface RelayOptions {
  /** 18, RFC 8415 §21.18: goes back as it came. */
  readonly interfaceId?: Uint8Array;
  /** 37, RFC 4649: enterprise number and identifier. */
  readonly remoteId?: Uint8Array;
  /** 38, RFC 4580. */
  readonly subscriberId?: Uint8Array;
  /** 79, RFC 6939: two bytes of hardware type, then the client's address. */
  readonly clientLinkLayer?: Uint8Array;
}

/** Texts hold one character per byte. Sections are RFC 8415's where no other is named. */
export interface Options {
  /** 1, §21.2. */
  readonly clientId?: Duid;
  /** 2, §21.3. */
  readonly serverId?: Duid;
  /** 3, §21.4. */
  readonly iaNa?: readonly Ia[];
  /** 4, §21.5. */
  readonly iaTa?: readonly TemporaryIa[];
  /** 6, §21.7: codes. */
  readonly requestedOptions?: readonly number[];
  /** 7, §21.8. */
  readonly preference?: number;
  /** 8, §21.9: in hundredths of a second on the wire. */
  readonly elapsedTime?: Duration;
  /** 12, §21.12. */
  readonly serverUnicast?: string;
  /** 13, §21.13. */
  readonly status?: Status;
  /** 14, §21.14. */
  readonly rapidCommit?: true;
  /** 15, §21.15. */
  readonly userClasses?: readonly string[];
  /** 16, §21.16. */
  readonly vendorClasses?: readonly VendorClass[];
  /** 17, §21.17. */
  readonly vendorOptions?: readonly VendorOptions[];
  /** 20, §21.20. */
  readonly reconfigureAccept?: true;
  /** 23, RFC 3646 §3. */
  readonly dnsServers?: readonly string[];
  /** 24, RFC 3646 §4. */
  readonly domainSearch?: readonly string[];
  /** 25, §21.21. */
  readonly iaPd?: readonly Ia[];
  /** 32, §21.23. */
  readonly informationRefreshTime?: Duration;
  /** 59, RFC 5970 §3.1. */
  readonly bootFileUrl?: string;
  /** 60, RFC 5970 §3.2. */
  readonly bootFileParameters?: readonly string[];
  /** 61, RFC 5970 §3.3: numbers of the registry in `architecture.ts`. */
  readonly clientArchitectures?: readonly number[];
  /** 62, RFC 5970 §3.4. */
  readonly clientInterface?: NetworkInterface;
  /** 82, §21.24. */
  readonly maxSolicitTimeout?: Duration;
  /** 83, §21.25. */
  readonly maxInformationTimeout?: Duration;
}

/** RFC 8415 §11, RFC 6355. Equal DUIDs are equal bytes; nothing else may be concluded from them (but see `client.ts`). */
export type Duid =
  | {
      readonly kind: "link-layer-time";
      readonly htype: number;
      /** Seconds since 2000. */ readonly time: number;
      readonly address: Uint8Array;
    }
  | { readonly kind: "enterprise"; readonly enterprise: number; readonly identifier: Uint8Array }
  | { readonly kind: "link-layer"; readonly htype: number; readonly address: Uint8Array }
  | { readonly kind: "uuid"; /** Sixteen bytes as they came. */ readonly uuid: Uint8Array }
  | { readonly kind: "other"; readonly type: number; readonly value: Uint8Array };

export interface Ia {
  readonly id: number;
  /** When to renew and to rebind; 0 leaves it to the client. */
  readonly t1: Duration;
  readonly t2: Duration;
  readonly options: IaOptions;
  readonly others?: readonly RawOption[];
}

export interface TemporaryIa {
  readonly id: number;
  readonly options: IaOptions;
  readonly others?: readonly RawOption[];
}

export interface IaOptions {
  /** 5, §21.6. */
  readonly addresses?: readonly IaAddress[];
  /** 26, §21.22. */
  readonly prefixes?: readonly IaPrefix[];
  readonly status?: Status;
}

export interface IaAddress {
  readonly address: string;
  readonly preferredLifetime: Duration;
  readonly validLifetime: Duration;
  readonly options: LeaseOptions;
  readonly others?: readonly RawOption[];
}

export interface IaPrefix {
  readonly prefix: string;
  readonly prefixLength: number;
  readonly preferredLifetime: Duration;
  readonly validLifetime: Duration;
  readonly options: LeaseOptions;
  readonly others?: readonly RawOption[];
}

export interface LeaseOptions {
  readonly status?: Status;
}

export interface Status {
  /** `STATUS`. */
  readonly code: number;
  /** For people; may be empty. */
  readonly message: string;
}

export interface VendorClass {
  readonly enterprise: number;
  readonly classes: readonly string[];
}

export interface VendorOptions {
  readonly enterprise: number;
  readonly options: readonly RawOption[];
}
