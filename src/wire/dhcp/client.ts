/** What a request says of the machine and the program that sent it. Nothing here is proof: anyone can say anything. */
import { formatIpv4, formatMac } from "#std/address.ts";
import { formatUuid, swapUuid } from "#std/uuid.ts";
import { architectureOf } from "./architecture.ts";
import type { Architecture } from "./architecture.ts";
import { ETHERNET, RELAY } from "./constants.ts";
import { decodeIpxe } from "./ipxe.ts";
import type { Ipxe } from "./ipxe.ts";
import type { NetworkInterface, Packet } from "./packet.ts";

export interface Client {
  /**
   * Which program asks: iPXE, U-Boot, firmware that boots from HTTP, firmware that boots by PXE, or something that does not boot
   * from the network now.
   */
  readonly program: "ipxe" | "u-boot" | "http" | "pxe" | "other";
  /** The first of its architectures that the registry knows; from the vendor class where option 93 is missing. */
  readonly architecture?: Architecture;
  /** All it names, as numbers. */
  readonly architectures: readonly number[];
  /** `52:54:00:12:34:56`, of an Ethernet card. */
  readonly mac?: string;
  readonly uuid?: ClientUuid;
  readonly vendorClass?: string;
  readonly userClasses: readonly string[];
  /** Only of iPXE, and only as far as it says. */
  readonly ipxe?: Ipxe;
  /** The relay nearest to the client. */
  readonly relay?: ClientRelay;
}

/** The wire does not say in which order the bytes are, so both readings are here. */
export interface ClientUuid {
  /** The likelier: as the order that this program uses reads. */
  readonly text: string;
  /** With the other order for the first three fields. */
  readonly swapped: string;
}

export interface ClientRelay {
  /** On the client's link. */
  readonly address: string;
  /** Where the client is plugged in, in the relay's words: circuit id, interface id. */
  readonly circuitId?: Uint8Array;
  /** The client, in the relay's words. */
  readonly remoteId?: Uint8Array;
  readonly subscriberId?: Uint8Array;
  /** The link whose addresses the client is to get, if not that of `address` (RFC 3527). */
  readonly linkSelection?: string;
  /** What the relay wants to be taken for the server (RFC 5107). */
  readonly serverIdOverride?: string;
}

/** Of a DHCPv4 request. */
export function clientOf(packet: Packet): Client {
  const { options } = packet;
  const userClasses = options.userClass?.classes ?? [];
  const isIpxe = userClasses.includes("iPXE") || options.ipxe !== undefined;
  const architectures = options.clientArchitectures ?? architecturesIn(options.vendorClass);
  const program = programOf({ isIpxe, architectures, vendorClass: options.vendorClass, nic: options.clientInterface });
  const relay = relayOf(packet);
  return {
    program,
    ...architecture(architectures),
    architectures,
    ...(packet.htype === ETHERNET && packet.chaddr.length === 6 ? { mac: formatMac(packet.chaddr) } : {}),
    // RFC 4578 §2.3 gives no order. SMBIOS' bytes go out as they are from EFI and PXE ROMs, and iPXE follows them; U-Boot does not.
    ...(options.clientUuid === undefined ? {} : { uuid: uuidOf(options.clientUuid, program !== "u-boot") }),
    ...(options.vendorClass === undefined ? {} : { vendorClass: options.vendorClass }),
    userClasses,
    ...(isIpxe ? { ipxe: decodeIpxe(options.ipxe ?? []) } : {}),
    ...(relay === undefined ? {} : { relay }),
  };
}

/** The facts that tell which program asks, of either version of DHCP. */
interface Signs {
  readonly isIpxe: boolean;
  readonly architectures: readonly number[];
  readonly vendorClass: string | undefined;
  readonly nic: NetworkInterface | undefined;
}

/**
 * iPXE first: it calls itself PXEClient too. U-Boot says so in the vendor class or the architecture, except where it boots EFI
 * programs: then it is `PXEClient:Arch:00011:UNDI:003000` like EDK2, but for a UNDI version of 0.0 in option 94, which no UNDI has.
 */
export function programOf({ isIpxe, architectures, vendorClass = "", nic }: Signs): Client["program"] {
  if (isIpxe) return "ipxe";
  const isUnreal = nic?.type === 1 && nic.major === 0 && nic.minor === 0;
  const isUBoot = architectures.some((code) => architectureOf(code)?.firmware === "u-boot");
  if (isUBoot || vendorClass.startsWith("U-Boot") || (isUnreal && vendorClass.startsWith("PXEClient"))) return "u-boot";
  if (vendorClass.startsWith("HTTPClient")) return "http";
  return vendorClass.startsWith("PXEClient") ? "pxe" : "other";
}

/** `PXEClient:Arch:00007:UNDI:003016` (PXE 2.1 §2.1, option 60); nothing in other vendor classes. */
export function architecturesIn(vendorClass = ""): readonly number[] {
  const match = /^(?:PXE|HTTP)Client:Arch:(\d{5})(?::|$)/.exec(vendorClass);
  return match === null ? [] : [Number(match[1])];
}

/** As a field, absent when the registry knows none. */
export function architecture(codes: readonly number[]): { architecture?: Architecture } {
  const known = codes.map(architectureOf).find((entry) => entry !== undefined);
  return known === undefined ? {} : { architecture: known };
}

/** `isEfiOrder`: the first three fields have their least significant byte first. */
export function uuidOf(bytes: Uint8Array, isEfiOrder: boolean): ClientUuid {
  const [asSent, swapped] = [formatUuid(bytes), formatUuid(swapUuid(bytes))];
  return isEfiOrder ? { text: swapped, swapped: asSent } : { text: asSent, swapped };
}

function relayOf({ giaddr, options }: Packet): ClientRelay | undefined {
  if (giaddr === "0.0.0.0" && options.relayAgent === undefined) return undefined;
  const values = new Map(options.relayAgent?.map(({ code, value }) => [code, value]));
  const bytes = (name: "circuitId" | "remoteId" | "subscriberId"): Partial<ClientRelay> => {
    const value = values.get(RELAY[name]);
    return value === undefined ? {} : { [name]: value };
  };
  const address = (name: "linkSelection" | "serverIdOverride"): Partial<ClientRelay> => {
    const value = values.get(RELAY[name]);
    return value?.length === 4 ? { [name]: formatIpv4(value) } : {};
  };
  return {
    address: giaddr,
    ...bytes("circuitId"),
    ...bytes("remoteId"),
    ...bytes("subscriberId"),
    ...address("linkSelection"),
    ...address("serverIdOverride"),
  };
}
