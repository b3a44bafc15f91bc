/** A DHCP client as boot ROMs and iPXE have it (RFC 2131 §4.4, PXE 2.1 §2.2): asks a few times, takes the first offer that has an address. */
import type { MemoryHost } from "#io/memory/network.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import { parseIpv4, parseMac } from "#std/address.ts";
import { parseUuid, swapUuid } from "#std/uuid.ts";
import { BROADCAST, CLIENT_PORT, SERVER_PORT } from "#wire/dhcp/constants.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Options, Packet } from "#wire/dhcp/packet.ts";
import type { Life } from "../machine/life.ts";

export interface Nic {
  readonly host: MemoryHost;
  readonly segment: string;
  readonly name: string;
  readonly mac: string;
  /** What it has by DHCP now. */
  address: string | undefined;
}

export interface Asking {
  readonly nic: Nic;
  readonly uuid: string;
  readonly program: "pxe" | "http" | "ipxe";
  /** Number of the registry of RFC 4578. */
  readonly architecture: number;
}

export interface Lease {
  /** `10.0.0.5/24` */
  readonly cidr: string;
  readonly address: string;
  /** What to boot; "" when nobody said. */
  readonly file: string;
  /** Where it is, with TFTP. */
  readonly server: string;
}

/** Milliseconds to wait for an answer, each time. */
const WAITS = [1_000, 2_000, 4_000, 8_000] as const;

/** The lease, which the interface has from then on; undefined when nobody answered. */
export async function askForLease(asking: Asking, life: Life, entropy: SeededEntropy): Promise<Lease | undefined> {
  const { nic } = asking;
  const { host, segment, name, mac } = nic;
  let heard: (packet: Packet) => void = () => {};
  const socket = await host.openUdp(
    { family: 4, host: "", port: CLIENT_PORT, interface: name, broadcast: true, reuseAddress: true },
    ({ bytes }) => life.alive && heard(decode(bytes)),
  );
  const close = (): void => void socket.close();
  const forget = life.onEnd(close);
  const xid = entropy.below(2 ** 32);
  const exchange = async (options: Options, isAnswer: (answer: Packet) => boolean): Promise<Packet | undefined> => {
    const message = encode(messageOf(asking, xid, options), undefined);
    for (const wait of WAITS) {
      const answer = await new Promise<Packet | undefined>((resolve) => {
        const timer = life.after(wait, () => resolve(undefined));
        heard = (packet) => {
          if (packet.xid !== xid || packet.op !== "reply" || !isAnswer(packet)) return;
          timer.cancel();
          resolve(packet);
        };
        void socket.send(message, { address: "255.255.255.255", port: SERVER_PORT }).catch(() => undefined);
      });
      if (answer !== undefined) return answer;
    }
    return undefined;
  };
  try {
    const offer = await exchange({ messageType: "discover" }, ({ yiaddr, options }) => {
      return options.messageType === "offer" && yiaddr !== "0.0.0.0";
    });
    const serverId = offer?.options.serverId;
    if (offer === undefined || serverId === undefined) return undefined;
    const wanted = { messageType: "request", serverId, requestedAddress: offer.yiaddr } as const;
    const answer = await exchange(wanted, ({ options }) => options.messageType === "ack" || options.messageType === "nak");
    if (answer?.options.messageType !== "ack") return undefined;
    const lease = leaseOf(answer);
    host.connect(segment, name, [lease.cidr], mac);
    nic.address = lease.address;
    return lease;
  } finally {
    forget();
    close();
  }
}

function messageOf({ nic, uuid, program, architecture }: Asking, xid: number, options: Options): Packet {
  const none = "0.0.0.0";
  const addresses = { ciaddr: none, yiaddr: none, siaddr: none, giaddr: none };
  return {
    op: "request",
    htype: 1,
    hops: 0,
    xid,
    secs: 0,
    flags: BROADCAST,
    ...addresses,
    chaddr: parseMac(nic.mac)!,
    sname: "",
    file: "",
    options: {
      ...options,
      maxMessageSize: 1472,
      parameterRequestList: [1, 3, 6, 12, 43, 54, 60, 66, 67],
      vendorClass: `${program === "http" ? "HTTP" : "PXE"}Client:Arch:${String(architecture).padStart(5, "0")}:UNDI:003016`,
      clientArchitectures: [architecture],
      clientInterface: { type: 1, major: 3, minor: 16 },
      clientUuid: swapUuid(parseUuid(uuid)!),
      ...(program === "ipxe" && {
        userClass: { classes: ["iPXE"], isBare: true },
        ipxe: [{ code: 0x13, value: Uint8Array.of(1) }],
      }),
    },
  };
}

function leaseOf({ yiaddr, siaddr, file, options }: Packet): Lease {
  const mask = parseIpv4(options.subnetMask ?? "255.255.255.0")!;
  const prefix = mask.reduce((bits, byte) => bits + byte.toString(2).replaceAll("0", "").length, 0);
  return {
    cidr: `${yiaddr}/${prefix}`,
    address: yiaddr,
    file: options.bootFile ?? file,
    server: siaddr === "0.0.0.0" ? (options.tftpServerName ?? options.serverId ?? "") : siaddr,
  };
}
