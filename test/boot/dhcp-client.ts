/** Requests as firmware makes them, from captures and by hand, and the wire as a test sees it. */
import type { Clock } from "#io/clock.ts";
import { MemoryJournal } from "#io/memory/journal.ts";
import type { MemoryHost } from "#io/memory/network.ts";
import type { Log } from "#io/log.ts";
import type { UdpSocket } from "#io/udp.ts";
import type { DhcpOptions } from "#boot/dhcp/dhcp.ts";
import type { Sighting } from "#decide/sighting.ts";
import { parseMac } from "#std/address.ts";
import { fromHex } from "#std/bytes.ts";
import type { Architecture } from "#wire/dhcp/architecture.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Options, Packet } from "#wire/dhcp/packet.ts";
import vectors from "../vectors/dhcp/captures.json" with { type: "json" };

export function captured(name: string): Packet {
  return decode(fromHex(vectors.captures.find((each) => each.name === name)!.hex)!);
}

export const MAC = "52:54:00:12:34:56";

/** A client's message by default a DISCOVER of a system that boots from its disk. */
export function request(options: Options, header: Partial<Packet> & { mac?: string } = {}): Packet {
  const { mac = MAC, ...fields } = header;
  return {
    op: "request",
    htype: 1,
    hops: 0,
    xid: 7,
    secs: 0,
    flags: 0,
    ciaddr: "0.0.0.0",
    yiaddr: "0.0.0.0",
    siaddr: "0.0.0.0",
    giaddr: "0.0.0.0",
    chaddr: parseMac(mac)!,
    sname: "",
    file: "",
    options: { messageType: "discover", ...options },
    ...fields,
  };
}

/** Upstream's choice of programs. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "bios ia32": "undionly.kpxe",
  "uefi x64": "snp.efi",
  "uefi arm64": "snp-arm64.efi",
  "u-boot arm64": "snp-arm64.efi",
};

export function programFor({ firmware, processor, name }: Architecture): { name: string } | { refusal: string } {
  const found = PROGRAMS[`${firmware} ${processor}`];
  return found === undefined ? { refusal: `no boot program for ${name}` } : { name: found };
}

/** A machine's DHCP client port on a network in the process. */
export class Wire {
  readonly replies: Packet[] = [];
  #socket!: UdpSocket;

  static async open(host: MemoryHost, device: string, port = 68): Promise<Wire> {
    const wire = new Wire();
    wire.#socket = await host.openUdp(
      { family: 4, host: "", port, interface: device, broadcast: true, reuseAddress: true },
      ({ bytes }) => {
        wire.replies.push(decode(bytes));
      },
    );
    return wire;
  }

  /** Sends, and resolves to the replies to this very message that came within some turns of the loop. */
  async ask(packet: Packet, to = "255.255.255.255", port = 67): Promise<Packet[]> {
    const before = this.replies.length;
    await this.#socket.send(encode(packet, 1500), { address: to, port });
    await turns();
    return this.replies.slice(before).filter(({ xid }) => xid === packet.xid);
  }
}

/** Lets everything that is under way come to its end. */
export async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
}

export interface Recorded {
  readonly sightings: Sighting[];
  readonly lines: string[];
}

/** Options of a DHCP service on a host, with what it says kept. */
export function serviceOptions(host: MemoryHost, clock: Clock, more: Partial<DhcpOptions>): { options: DhcpOptions } & Recorded {
  const [sightings, lines]: [Sighting[], string[]] = [[], []];
  const say = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  const log: Log = { error: say("error"), warn: say("warn"), info: () => {}, debug: () => {}, with: () => log };
  const options: DhcpOptions = {
    openUdp: host.openUdp,
    openIcmp6: host.openIcmp6,
    interfaces: host.interfaces,
    clock,
    log,
    witness: (sighting) => sightings.push(sighting),
    journal: new MemoryJournal(),
    mode: "proxy",
    subnets: [],
    interfaceNames: [],
    endpoint: "",
    port: 8081,
    lookup: async () => [],
    programFor,
    mayBoot: () => true,
    ...more,
  };
  return { options, sightings, lines };
}
