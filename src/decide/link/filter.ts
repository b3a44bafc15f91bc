/** Which of a machine's addresses are of interest: not its end of the tunnel, and not those in the networks of `--negative-address-filter`. */
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "#std/address.ts";
import { Fault } from "#std/fault.ts";

export interface Network {
  readonly bytes: Uint8Array;
  /** Bits that count. */
  readonly length: number;
}

/** `10.0.0.0/8` or `fe80::/10`. Throws `caller` Fault `decide.link` for anything else. */
export function parseNetwork(text: string): Network {
  const [, address, length] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = address === undefined ? undefined : (parseIpv4(address) ?? parseIpv6(address));
  if (bytes === undefined || Number(length) > bytes.length * 8)
    throw new Fault("decide.link", `${JSON.stringify(text)} is no network like 10.0.0.0/8`, { fault: "caller", retry: "never" });
  return { bytes, length: Number(length) };
}

/** The values of `--negative-address-filter`; `-` stands for none, as upstream has it. */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.filter((text) => text !== "" && text !== "-").map(parseNetwork);
}

/** In their order, each once and in canonical form; what is no address is left out. */
export function addressesOf(reported: readonly string[], tunnel: string, negative: readonly Network[]): string[] {
  const own = parseIpv6(tunnel.replace(/\/.*$/s, ""));
  const kept = reported
    .map((text) => parseIpv4(text) ?? parseIpv6(text))
    .filter((bytes) => bytes !== undefined)
    .filter((bytes) => !(own !== undefined && isWithin(bytes, { bytes: own, length: 128 })))
    .filter((bytes) => !negative.some((network) => isWithin(bytes, network)));
  return [...new Set(kept.map((bytes) => (bytes.length === 4 ? formatIpv4(bytes) : formatIpv6(bytes))))];
}

function isWithin(address: Uint8Array, { bytes, length }: Network): boolean {
  if (address.length !== bytes.length) return false;
  return address.every((byte, i) => {
    const bits = Math.min(8, Math.max(0, length - 8 * i));
    return ((byte ^ bytes[i]!) & (0xff00 >> bits) & 0xff) === 0;
  });
}
