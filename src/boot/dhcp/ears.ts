/** The sockets of one interface. Each stands by itself: what cannot be opened is tried again while the others work. */
import type { Clock } from "#io/clock.ts";
import type { OpenIcmp6 } from "#io/icmp6.ts";
import type { Log } from "#io/log.ts";
import type { Datagram, Interface, OpenUdp, UdpOptions, UdpSocket } from "#io/udp.ts";
import { modeOf, subnetsOf } from "#decide/dhcp/scope.ts";
import type { Mode } from "#decide/dhcp/scope.ts";
import { Fault } from "#std/fault.ts";
import { CLIENT_PORT, PXE_PORT, SERVER_PORT } from "#wire/dhcp/constants.ts";
import { RELAYS_AND_SERVERS, SERVER_PORT as SERVER_PORT_6, SERVERS } from "#wire/dhcp/v6/constants.ts";
import { ALL_ROUTERS, ROUTER_SOLICITATION } from "#wire/ndp/router.ts";
import { Link } from "./link.ts";
import { Link6 } from "./link6.ts";
import type { World } from "./world.ts";

interface Doors {
  readonly openUdp: OpenUdp;
  readonly openIcmp6: OpenIcmp6;
  readonly clock: Clock;
  readonly log: Log;
}

interface Ear {
  readonly name: string;
  /** Without it machines are not answered; the others are for comfort. */
  readonly isNeeded: boolean;
  open(): Promise<{ close(): Promise<void> }>;
}

const RETRY = 30_000;

export class Ears {
  readonly #doors: Doors;
  readonly #world: World;
  readonly #link: Link;
  readonly #link6: Link6;
  readonly #open = new Map<string, { close(): Promise<void> }>();
  readonly #problems = new Map<string, { readonly text: string; readonly retryAt: number }>();

  constructor(doors: Doors, world: World, link: Interface) {
    this.#doors = doors;
    this.#world = world;
    this.#link = new Link(world, link);
    this.#link6 = new Link6(world, link);
  }

  /** As the kernel numbers the interface: another number is another interface. */
  get index(): number {
    return this.#link.link.index;
  }

  /** Opens what is not open yet, and takes note of the interface's addresses. */
  async listen(link: Interface): Promise<void> {
    [this.#link.link, this.#link6.link] = [link, link];
    const now = this.#doors.clock.monotonic();
    const before = this.#open.size;
    for (const ear of this.#wanted()) {
      if (this.#open.has(ear.name) || now < (this.#problems.get(ear.name)?.retryAt ?? -Infinity)) continue;
      try {
        this.#open.set(ear.name, await ear.open());
        this.#problems.delete(ear.name);
      } catch (error) {
        this.#failed(ear, Fault.from(error));
      }
    }
    if (this.#open.size > before) {
      this.#doors.log.info("DHCP: listening", {
        interface: link.name,
        mode: this.#mode(),
        for: [...this.#open.keys()].join(", "),
      });
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#link.close(), this.#link6.close()]);
    await Promise.all([...this.#open.values()].map((socket) => socket.close()));
    this.#open.clear();
  }

  status(): { name: string; mode: Mode; open: string[]; problems: string[] } {
    return {
      name: this.#link.link.name,
      mode: this.#mode(),
      open: [...this.#open.keys()],
      problems: [...this.#problems.values()].map(({ text }) => text),
    };
  }

  #mode(): Mode {
    const { subnets, mode } = this.#world;
    return modeOf(subnetsOf(subnets, this.#link.link, {}), mode).mode;
  }

  /** Said once for each problem; who reads it can do something. */
  #failed({ name, isNeeded }: Ear, fault: Fault): void {
    const before = this.#problems.get(name)?.text;
    this.#problems.set(name, { text: fault.message, retryAt: this.#doors.clock.monotonic() + RETRY });
    if (before === fault.message) return;
    if (!isNeeded) return this.#doors.log.debug(`DHCP: ${fault.message}; going on without`);
    const remedy =
      fault.code === "io.address-in-use"
        ? "stop the other DHCP server there, or let it carry the boot options and set dhcp to off (docs/guides/dhcp.md)"
        : "machines on this network are not answered";
    this.#doors.log.error(`DHCP: ${fault.message}: ${remedy}; trying again every ${RETRY / 1000} s`);
  }

  #wanted(): Ear[] {
    const { subnets, mode } = this.#world;
    const { name, addresses } = this.#link.link;
    // Relayed requests are about networks that are not this interface's.
    const relayed = subnets.some((subnet) => (subnet.mode ?? mode) !== "off" && (subnet.interface ?? name) === name);
    const here = this.#mode();
    if (here === "off" && !relayed) return [];
    const shared = { interface: name, reuseAddress: true } as const;
    const v4 = (port: number, label: string): Ear => {
      return {
        name: label,
        isNeeded: true,
        open: () =>
          this.#udp({ ...shared, family: 4, host: "", port, broadcast: true }, (datagram, socket) =>
            this.#link.receive(datagram, socket),
          ),
      };
    };
    // Bound to the broadcast address: what is for this host's own DHCP client alone stays its own.
    const ear: UdpOptions = { ...shared, family: 4, host: "255.255.255.255", port: CLIENT_PORT };
    const groups = [RELAYS_AND_SERVERS, SERVERS];
    const v6: UdpOptions = { ...shared, family: 6, host: "", port: SERVER_PORT_6, groups };
    return [
      v4(SERVER_PORT, "DHCP"),
      v4(PXE_PORT, "PXE"),
      { name: "other servers", isNeeded: false, open: () => this.#udp(ear, (datagram) => this.#link.overhear(datagram)) },
      ...(addresses.some(({ family }) => family === 6)
        ? [
            {
              name: "DHCPv6",
              isNeeded: false,
              open: () => this.#udp(v6, (datagram, socket) => this.#link6.receive(datagram, socket)),
            },
          ]
        : []),
      ...(here !== "off" && addresses.some(({ family }) => family === 6)
        ? [{ name: "router solicitations", isNeeded: false, open: () => this.#icmp6(name) }]
        : []),
    ];
  }

  async #udp(options: UdpOptions, receive: (datagram: Datagram, socket: UdpSocket) => void): Promise<UdpSocket> {
    // Nothing is received before the door has opened.
    const socket = await this.#doors.openUdp(options, (datagram) => receive(datagram, socket));
    return socket;
  }

  async #icmp6(name: string): Promise<{ close(): Promise<void> }> {
    const options = { interface: name, types: [ROUTER_SOLICITATION], groups: [ALL_ROUTERS] };
    const socket = await this.#doors.openIcmp6(options, (datagram) => void this.#link6.solicited(datagram, socket));
    return socket;
  }
}
