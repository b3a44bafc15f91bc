/** Who has which address in SideroLink's WireGuard network (facts §8.2): one /64 for an installation, the server at its first address. */
import { formatIpv6, parseIpv6 } from "#std/address.ts";
import { concat } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import { parseUuid } from "#std/uuid.ts";

/** SHA-256 (FIPS 180-4), 32 bytes; handed in, as this layer has no cryptography. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

/** Talos tells networks apart by byte 7 of their addresses: the tunnel, and the addresses that name peers of WireGuard over gRPC. */
export const PURPOSE = { tunnel: 0x03, virtual: 0x04 } as const;
export type Purpose = keyof typeof PURPOSE;

export interface LinkNetwork {
  /** Sixteen bytes, the last eight of them zero. */
  readonly prefix: Uint8Array;
  /** `fdae:41e4:649b:9303::/64` */
  readonly cidr: string;
  /** The server's address, without prefix length. */
  readonly server: string;
}

const LENGTH = 64;
/** The server's and the one of all routers (RFC 4291 §2.6.1). */
const RESERVED_BELOW = 2n;

/** The network of the installation with that id; upstream's own examples use the empty one. */
export function networkOf(installation: string, sha256: Sha256, purpose: Purpose = "tunnel"): LinkNetwork {
  const prefix = new Uint8Array(16);
  prefix.set(sha256(new TextEncoder().encode(installation)).subarray(16, 24));
  prefix[0] = 0xfd;
  prefix[7] = PURPOSE[purpose];
  return { prefix, cidr: `${formatIpv6(prefix)}/${LENGTH}`, server: formatIpv6(prefix.with(15, 1)) };
}

/**
 * The address a machine gets, always the same one: of a hash of its UUID (upstream throws dice). With `isTaken` true for the address
 * that comes out, by another machine, the next one is tried. Throws `caller` Fault `decide.link` for what is no UUID.
 */
export function addressOf(network: LinkNetwork, uuid: string, sha256: Sha256, isTaken: (address: string) => boolean): string {
  const machine = parseUuid(uuid);
  if (machine === undefined) throw new Fault("decide.link", "a machine's UUID is malformed", { fault: "caller", retry: "never" });
  for (let attempt = 0; ; attempt++) {
    const low = sha256(concat([network.prefix, machine, Uint8Array.of(attempt)])).subarray(0, 8);
    const address = formatIpv6(concat([network.prefix.subarray(0, 8), low]));
    // 256 addresses that all are taken would need as many machines as there are grains of sand.
    if (!isReserved(low) && (!isTaken(address) || attempt === 255)) return address;
  }
}

/** `fd…:1234` out of `fd…:1234/64` or without length; undefined when it is none that a machine of this network can have. */
export function readAddress(network: LinkNetwork, text: string): string | undefined {
  const [address, length, ...rest] = text.split("/");
  const bytes = parseIpv6(address ?? "");
  if (bytes === undefined || rest.length > 0 || (length !== undefined && !["64", "128"].includes(length))) return undefined;
  const isInside = bytes.subarray(0, 8).every((byte, i) => byte === network.prefix[i]);
  return isInside && !isReserved(bytes.subarray(8)) ? formatIpv6(bytes) : undefined;
}

/** The same machine's address in the other network; undefined when it is none of a machine in `from`. */
export function moveAddress(text: string, from: LinkNetwork, to: LinkNetwork): string | undefined {
  const address = readAddress(from, text);
  if (address === undefined) return undefined;
  return formatIpv6(concat([to.prefix.subarray(0, 8), parseIpv6(address)!.subarray(8)]));
}

/** As a machine is told it, and as `spec.siderolink.address` has it. */
export function withLength(address: string): string {
  return `${address}/${LENGTH}`;
}

function isReserved(low: Uint8Array): boolean {
  return low.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) < RESERVED_BELOW;
}
