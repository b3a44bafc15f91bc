/** Wake-on-LAN to all of a machine's network cards, on every network we are in. */
import type { Interface, Interfaces, OpenUdp, UdpOptions } from "#io/udp.ts";
import { Fault } from "#std/fault.ts";
import { encodeMagic, WAKE_PORT } from "#wire/wol/packet.ts";

export interface WakePorts {
  readonly openUdp: OpenUdp;
  readonly interfaces: Interfaces;
}

const EVERYBODY = "255.255.255.255";

/** Resolves to the names of the interfaces it went out by. Rejects with a Fault of {@link OpenUdp} when it went out by none, and with `wol.unencodable` for what is no MAC address. */
export async function wake(macs: readonly string[], { openUdp, interfaces }: WakePorts): Promise<string[]> {
  const packets = macs.map(encodeMagic);
  if (packets.length === 0) return [];
  const links = (await interfaces.list()).filter(({ isUp, isLoopback, addresses }) => {
    return isUp && !isLoopback && addresses.some(({ family }) => family === 4);
  });
  const sent = await Promise.allSettled(links.map((link) => send(packets, link, openUdp)));
  const names = links.filter((_, i) => sent[i]!.status === "fulfilled").map(({ name }) => name);
  const failed = sent.find((each) => each.status === "rejected");
  if (names.length === 0 && failed !== undefined) throw failed.reason;
  return names;
}

async function send(packets: readonly Uint8Array[], link: Interface, openUdp: OpenUdp): Promise<void> {
  const { address: host, prefix } = link.addresses.find(({ family }) => family === 4)!;
  const options: UdpOptions = { family: 4, host, port: 0, broadcast: true };
  let to = EVERYBODY;
  const socket = await openUdp({ ...options, interface: link.name }, () => {}).catch((error: unknown) => {
    // Without the right to choose the interface the network's own broadcast address chooses it.
    if (!Fault.is(error, "io.no-permission")) throw error;
    to = broadcastOf(host, prefix);
    return openUdp(options, () => {});
  });
  try {
    for (const packet of packets) await socket.send(packet, { address: to, port: WAKE_PORT });
  } finally {
    await socket.close();
  }
}

/** `10.0.0.255` of 10.0.0.7 in a /24. */
function broadcastOf(address: string, prefix: number): string {
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const last = number + (2 ** (32 - prefix) - 1 - (number % 2 ** (32 - prefix)));
  return [24, 16, 8, 0].map((shift) => Math.floor(last / 2 ** shift) % 256).join(".");
}
