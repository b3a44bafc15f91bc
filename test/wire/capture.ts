/** Capture files (pcap) of datagrams, for foreign dissectors. */
import { parseIpv4, parseIpv6 } from "#std/address.ts";
import { concat, uintBytes } from "#std/bytes.ts";

export interface Datagram {
  /** Both of one family. */
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** Link type 101: packets begin with the IP header. */
const RAW_IP = 101;

/** The packets in their order, one second apart. UDP checksums are left out. */
export function pcap(datagrams: readonly Datagram[]): Uint8Array {
  const head = [
    uintBytes(0xa1b2c3d4, 4),
    uintBytes(2, 2),
    uintBytes(4, 2),
    new Uint8Array(8),
    uintBytes(65535, 4),
    uintBytes(RAW_IP, 4),
  ];
  const records = datagrams.flatMap((datagram, second) => {
    const packet = ipPacket(datagram);
    return [uintBytes(second, 4), uintBytes(0, 4), uintBytes(packet.length, 4), uintBytes(packet.length, 4), packet];
  });
  return concat([...head, ...records]);
}

function ipPacket({ source, destination, sourcePort, destinationPort, payload }: Datagram): Uint8Array {
  const udp = concat([...[sourcePort, destinationPort, 8 + payload.length, 0].map((value) => uintBytes(value, 2)), payload]);
  const [from4, to4] = [parseIpv4(source), parseIpv4(destination)];
  if (from4 !== undefined && to4 !== undefined) {
    const rest = [uintBytes(20 + udp.length, 2), uintBytes(0, 4), Uint8Array.of(64, 17, 0, 0), from4, to4];
    return concat([Uint8Array.of(0x45, 0), ...rest, udp]);
  }
  const [from6, to6] = [parseIpv6(source), parseIpv6(destination)];
  if (from6 === undefined || to6 === undefined) throw new Error(`no addresses of one family: ${source} and ${destination}`);
  return concat([uintBytes(0x60000000, 4), uintBytes(udp.length, 2), Uint8Array.of(17, 64), from6, to6, udp]);
}
