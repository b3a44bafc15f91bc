/**
 * Networks in the process: segments (a switch each) to which hosts are connected by interfaces, and on which datagrams to one, to
 * all and to groups go where they would go on Ethernet. Nothing is routed between segments. Datagrams can be lost, doubled and
 * delayed as a seed says.
 */
import { formatMac, parseIpv4, parseIpv6 } from "#std/address.ts";
import { readUint } from "#std/bytes.ts";
import { Fault } from "#std/fault.ts";
import type { Clock } from "../clock.ts";
import type { OpenIcmp6 } from "../icmp6.ts";
import type { Datagram, Interface, Interfaces, OpenUdp, UdpEndpoint, UdpOptions, UdpSocket } from "../udp.ts";
import { SeededEntropy } from "./entropy.ts";

export interface NetworkFaults {
  readonly seed: number;
  /** Probabilities for each copy of a datagram that is to arrive somewhere. */
  readonly loss?: number;
  readonly duplication?: number;
  /** A datagram takes up to this many milliseconds, so later ones may overtake it. */
  readonly delay?: { readonly clock: Clock; readonly milliseconds: number };
}

/** `10.77.0.1/24` or `fd77::1/64`, as `ip addr add` takes them. */
export type InterfaceAddress = string;

export interface MemoryHost {
  readonly openUdp: OpenUdp;
  readonly openIcmp6: OpenIcmp6;
  readonly interfaces: Interfaces;
  /** A new interface that is up, with a MAC address of its own if none is given. */
  connect(segment: string, name: string, addresses: readonly InterfaceAddress[], mac?: string): void;
  /** Takes the interface away; sockets bound to it receive nothing more. */
  disconnect(name: string): void;
  /** What {@link Interfaces.neighbour} says. */
  readonly neighbours: Map<string, string>;
}

interface Port extends Interface {
  readonly segment: string;
  readonly host: Host;
}

interface Open {
  readonly options: UdpOptions;
  readonly port: number;
  readonly receive: (datagram: Datagram) => void;
}

interface OpenRaw {
  readonly interface: string;
  readonly types: readonly number[];
  readonly groups: readonly string[];
  readonly receive: (datagram: Datagram) => void;
}

/** Sends what `deliver` delivers, perhaps. */
type Carry = (deliver: () => void) => void;

/** What is plugged in where. A hall has thousands of ports, so nobody may have to look at all of them to find one address. */
class Wires {
  readonly #ports = new Map<string, Set<Port>>();
  readonly #byAddress = new Map<string, Set<Port>>();

  plug(port: Port): void {
    entry(this.#ports, port.segment).add(port);
    for (const { address } of port.addresses) entry(this.#byAddress, `${port.segment} ${address}`).add(port);
  }

  unplug(port: Port): void {
    this.#ports.get(port.segment)?.delete(port);
    for (const { address } of port.addresses) {
      const key = `${port.segment} ${address}`;
      const left = this.#byAddress.get(key);
      left?.delete(port);
      if (left?.size === 0) this.#byAddress.delete(key);
    }
  }

  all(segment: string): readonly Port[] {
    return [...(this.#ports.get(segment) ?? [])];
  }

  at(segment: string, address: string): readonly Port[] {
    return [...(this.#byAddress.get(`${segment} ${address}`) ?? [])];
  }
}

function entry(map: Map<string, Set<Port>>, key: string): Set<Port> {
  const found = map.get(key) ?? new Set();
  map.set(key, found);
  return found;
}

export class MemoryNetwork {
  readonly #wires = new Wires();
  #index = 0;
  #faults: NetworkFaults = { seed: 0 };
  #entropy = new SeededEntropy(0);

  /** May be changed while datagrams are under way. */
  set faults(faults: NetworkFaults) {
    this.#faults = faults;
    this.#entropy = new SeededEntropy(faults.seed);
  }

  /** A machine with an interface `lo`. */
  host(): MemoryHost {
    return new Host(
      this.#wires,
      (deliver) => this.#carry(deliver),
      () => ++this.#index,
    );
  }

  #carry(deliver: () => void): void {
    const { loss = 0, duplication = 0, delay } = this.#faults;
    const copies = this.#entropy.chance(duplication) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.#entropy.chance(loss)) continue;
      if (delay === undefined) setImmediate(deliver);
      else delay.clock.after(this.#entropy.below(delay.milliseconds + 1), deliver);
    }
  }
}

const FIRST_FREE_PORT = 32768;
const LAST_PORT = 65535;
const LARGEST = 65507;
const BROADCAST = "255.255.255.255";

class Host implements MemoryHost {
  readonly neighbours = new Map<string, string>();
  readonly #wires: Wires;
  readonly #carry: Carry;
  readonly #nextIndex: () => number;
  readonly #ports = new Map<string, Port>();
  readonly #sockets = new Set<Open>();
  readonly #raw = new Set<OpenRaw>();

  constructor(wires: Wires, carry: Carry, nextIndex: () => number) {
    this.#wires = wires;
    this.#carry = carry;
    this.#nextIndex = nextIndex;
    const lo = { name: "lo", index: 1, isUp: true, isLoopback: true, segment: "", host: this };
    this.#ports.set("lo", { ...lo, addresses: [parsed("127.0.0.1/8"), parsed("::1/128")] });
  }

  connect(segment: string, name: string, addresses: readonly InterfaceAddress[], mac?: string): void {
    const index = 1 + this.#nextIndex();
    const ownMac = Uint8Array.of(0x52, 0x54, 0, 0xff, index >>> 8, index & 0xff);
    const port = { name, index, mac: mac ?? formatMac(ownMac), isUp: true, isLoopback: false, segment, host: this };
    this.disconnect(name);
    const plugged = { ...port, addresses: addresses.map(parsed) };
    this.#ports.set(name, plugged);
    this.#wires.plug(plugged);
  }

  disconnect(name: string): void {
    const port = this.#ports.get(name);
    if (port === undefined) return;
    this.#ports.delete(name);
    this.#wires.unplug(port);
  }

  readonly interfaces: Interfaces = {
    list: async () => this.#own().map(interfaceOf),
    neighbour: async (address) => this.neighbours.get(address),
  };

  readonly openUdp: OpenUdp = async (options, receive) => {
    const { family, host, interface: device } = options;
    if (device !== undefined && !this.#ports.has(device)) throw refused("io.no-interface", options, "there is no such interface");
    const isOwn =
      host === "" ||
      host === BROADCAST ||
      isGroup(host) ||
      this.#own().some(({ addresses }) => addresses.some(({ address }) => address === host));
    if (!isOwn) throw refused("io.listen-failed", options, "no interface has this address");
    const port = options.port === 0 ? this.#freePort(family) : options.port;
    const isTaken = [...this.#sockets].some((other) => {
      const overlaps = other.options.host === host || other.options.host === "" || host === "";
      const sharesDevice = other.options.interface === device || other.options.interface === undefined || device === undefined;
      const mayShare = other.options.reuseAddress === true && options.reuseAddress === true;
      return other.port === port && other.options.family === family && overlaps && sharesDevice && !mayShare;
    });
    if (isTaken) throw refused("io.address-in-use", options, "another program has this port");
    const socket: Open = { options, port, receive };
    this.#sockets.add(socket);
    return {
      address: host === "" ? (family === 4 ? "0.0.0.0" : "::") : host,
      port,
      send: (bytes, to) => this.#send(socket, bytes, to),
      close: async () => void this.#sockets.delete(socket),
    } satisfies UdpSocket;
  };

  readonly openIcmp6: OpenIcmp6 = async ({ interface: device, types, groups }, receive) => {
    if (!this.#ports.has(device)) {
      throw new Fault("io.no-interface", `cannot open ICMPv6 on ${device}: there is no such interface`, {
        fault: "world",
        retry: "later",
      });
    }
    const socket: OpenRaw = { interface: device, types, groups, receive };
    this.#raw.add(socket);
    return {
      send: async (bytes, to) => {
        const port = this.#ports.get(device);
        if (port === undefined) throw unreachable(to);
        const datagram = { bytes: new Uint8Array(bytes), from: { address: sourceOf(port, 6), port: 0 } };
        for (const target of this.#targets(port, to)) this.#carry(() => target.host.#takeRaw(target, to, datagram));
      },
      close: async () => void this.#raw.delete(socket),
    };
  };

  async #send(socket: Open, bytes: Uint8Array, to: UdpEndpoint): Promise<void> {
    const { options, port } = socket;
    const { family, host, interface: device } = options;
    const isBroadcast = to.address === BROADCAST;
    if (bytes.length > LARGEST)
      throw new Fault("io.too-large", `cannot send to ${to.address}: EMSGSIZE`, { fault: "caller", retry: "never" });
    if (isBroadcast && options.broadcast !== true) {
      throw new Fault("io.failed", `cannot send to ${to.address}: EACCES`, { fault: "caller", retry: "never" });
    }
    const out = device === undefined ? this.#route(to.address) : this.#ports.get(device);
    if (out === undefined) throw unreachable(to.address);
    if (!this.#sockets.has(socket)) {
      throw new Fault("io.failed", `cannot send to ${to.address}: the socket is closed`, { fault: "caller", retry: "never" });
    }
    const from = { address: host === "" ? sourceOf(out, family) : host, port };
    const sent = new Uint8Array(bytes);
    for (const target of this.#targets(out, to.address)) {
      // What nobody there listens for is not carried: a broadcast reaches a whole hall.
      if (target.host.#listens(to)) this.#carry(() => target.host.#take(target, to, { bytes: sent.slice(), from }));
    }
  }

  /** By the longest prefix, as a routing table without gateways. */
  #route(address: string): Port | undefined {
    if (this.#own().some(({ addresses }) => addresses.some((own) => own.address === address))) return this.#ports.get("lo");
    const reaching = this.#own().flatMap((port) =>
      port.addresses.filter((own) => covers(own, address)).map(({ prefix }) => ({ port, prefix })),
    );
    const best = reaching.toSorted((a, b) => b.prefix - a.prefix)[0]?.port;
    return best ?? (isGroup(address) || address === BROADCAST ? this.#own().find(({ isLoopback }) => !isLoopback) : undefined);
  }

  /** Where on the wire it arrives: everywhere if it is for many, as those whom it does not concern do not take it. */
  #targets(out: Port, address: string): readonly Port[] {
    if (out.isLoopback) return [out];
    return isForMany(out, address) ? this.#wires.all(out.segment) : this.#wires.at(out.segment, address);
  }

  #listens({ port }: UdpEndpoint): boolean {
    for (const socket of this.#sockets) if (socket.port === port) return true;
    return false;
  }

  #take(port: Port, to: UdpEndpoint, datagram: Datagram): void {
    if (this.#ports.get(port.name) !== port) return;
    const family = to.address.includes(":") ? 6 : 4;
    for (const { options, port: bound, receive } of this.#sockets) {
      const { host, interface: device, groups = [] } = options;
      if (bound !== to.port || options.family !== family || (device !== undefined && device !== port.name)) continue;
      const concerns = host === "" ? !isGroup(to.address) || groups.includes(to.address) : host === to.address;
      if (concerns) receive(datagram);
    }
  }

  #takeRaw(port: Port, to: string, datagram: Datagram): void {
    for (const { interface: device, types, groups, receive } of this.#raw) {
      const concerns = !isGroup(to) || to === "ff02::1" || groups.includes(to);
      if (device === port.name && types.includes(datagram.bytes[0] ?? -1) && concerns) receive(datagram);
    }
  }

  #own(): Port[] {
    return [...this.#ports.values()];
  }

  #freePort(family: 4 | 6): number {
    const used = new Set([...this.#sockets].filter(({ options }) => options.family === family).map(({ port }) => port));
    for (let port = FIRST_FREE_PORT; port <= LAST_PORT; port++) if (!used.has(port)) return port;
    throw new Fault("io.address-in-use", "cannot open UDP: no port is free", { fault: "world", retry: "later" });
  }
}

type Prefixed = Interface["addresses"][number];

function interfaceOf({ name, index, mac, isUp, isLoopback, addresses }: Port): Interface {
  return { name, index, ...(mac === undefined ? {} : { mac }), isUp, isLoopback, addresses };
}

function parsed(text: InterfaceAddress): Prefixed {
  const [address = "", prefix] = text.split("/");
  return { address, prefix: Number(prefix), family: address.includes(":") ? 6 : 4 };
}

function sourceOf(port: Port, family: 4 | 6): string {
  return port.addresses.find((each) => each.family === family)?.address ?? (family === 4 ? "0.0.0.0" : "::");
}

function isForMany(port: Port, address: string): boolean {
  if (address === BROADCAST || isGroup(address)) return true;
  const bytes = parseIpv4(address);
  return port.addresses.some(({ family, prefix, ...own }) => {
    if (family !== 4 || bytes === undefined || prefix > 30) return false;
    const mask = 2 ** (32 - prefix) - 1;
    return (readUint(parseIpv4(own.address)!, 0, 4) | mask) >>> 0 === readUint(bytes, 0, 4);
  });
}

function isGroup(address: string): boolean {
  return address.startsWith("ff") || /^2(2[4-9]|3\d)\./.test(address);
}

function covers({ address, prefix }: Prefixed, other: string): boolean {
  const [own, wanted] = [address, other].map((text) => (text.includes(":") ? parseIpv6(text) : parseIpv4(text)));
  if (own === undefined || wanted === undefined || own.length !== wanted.length) return false;
  return own.every((byte, i) => ((byte ^ wanted[i]!) & (0xff00 >> Math.min(8, Math.max(0, prefix - 8 * i)))) === 0);
}

function refused(code: string, { port, interface: device }: UdpOptions, problem: string): Fault {
  const where = `UDP port ${port}${device === undefined ? "" : ` on ${device}`}`;
  return new Fault(code, `cannot open ${where}: ${problem}`, { fault: "world", retry: "later" });
}

function unreachable(address: string): Fault {
  return new Fault("io.unreachable", `cannot send to ${address}: ENETUNREACH`, { fault: "world", retry: "later" });
}
