/** DHCP on all interfaces of this host: finds them, listens, and goes on where one fails. */
import type { Clock, Timer } from "#io/clock.ts";
import type { OpenIcmp6 } from "#io/icmp6.ts";
import type { Journal } from "#io/journal.ts";
import type { Log } from "#io/log.ts";
import type { Interface, Interfaces, OpenUdp } from "#io/udp.ts";
import type { ProgramFor } from "#decide/dhcp/boot-file.ts";
import { parseAddress } from "#decide/dhcp/range.ts";
import { modeOf, subnetsOf } from "#decide/dhcp/scope.ts";
import type { Mode } from "#decide/dhcp/scope.ts";
import type { Subnet } from "#decide/dhcp/subnets.ts";
import type { Whom, Witness } from "#decide/sighting.ts";
import { Fault } from "#std/fault.ts";
import { Ears } from "./ears.ts";
import { LeaseStore } from "./lease-store.ts";
import { Observer } from "./observer.ts";
import { Recent } from "../recent.ts";
import type { World } from "./world.ts";

export interface DhcpOptions {
  readonly openUdp: OpenUdp;
  readonly openIcmp6: OpenIcmp6;
  readonly interfaces: Interfaces;
  readonly clock: Clock;
  readonly log: Log;
  readonly witness: Witness;
  /** For leases, and nothing else; not yet opened. Absent: leases are forgotten at the end of the process. */
  readonly journal?: Journal;
  /** What to do in networks that `subnets` do not name. */
  readonly mode: Mode;
  readonly subnets: readonly Subnet[];
  /** Names; empty: the interface with the endpoint's address, or all if there is none such, and those of the subnets. */
  readonly interfaceNames: readonly string[];
  /** IP address or DNS name by which machines reach us; "" for the address of the interface that they ask on. */
  readonly endpoint: string;
  /** TCP port of HTTP that machines are told. */
  readonly port: number;
  /** Addresses of a DNS name. */
  lookup(name: string): Promise<readonly string[]>;
  readonly programFor: ProgramFor;
  /** Whether the machine may boot from the network, or for people why not. */
  mayBoot(whom: Whom): true | string;
}

export interface DhcpStatus {
  readonly interfaces: readonly {
    readonly name: string;
    readonly mode: Mode;
    /** `DHCP`, `PXE`, `DHCPv6`…: what is listened for. */
    readonly open: readonly string[];
    /** What cannot be listened for, and why. */
    readonly problems: readonly string[];
  }[];
  /** Unexpired leases by subnet. */
  readonly leases: Readonly<Record<string, number>>;
}

export interface Dhcp {
  /**
   * Loads the leases and listens; what cannot be listened on is logged and tried again. Rejects as {@link Journal.open}. The signal
   * closes it.
   */
  start(signal?: AbortSignal): Promise<void>;
  /** Ends when nothing is open any more and every lease that was given is durable. */
  close(): Promise<void>;
  status(): DhcpStatus;
  /** MAC address of the machine that was last seen to get this address by DHCP, from whomever. */
  holderOf(address: string): string | undefined;
}

/** How often interfaces are looked at. */
const SCAN = 5000;
/** How often a DNS name of the endpoint is looked up. */
const LOOKUP = 60_000;
const HOLDERS = 65_536;

/** A DHCP server or proxy of one process. */
export function createDhcp(options: DhcpOptions): Dhcp {
  return new Service(options);
}

class Service implements Dhcp {
  readonly #options: DhcpOptions;
  readonly #store: LeaseStore;
  readonly #world: World;
  readonly #observer: Observer;
  readonly #ears = new Map<string, Ears>();
  readonly #holders = new Recent<string>(HOLDERS);
  #ours: ReadonlySet<string> = new Set();
  /** Of the endpoint. */
  #endpoint: readonly string[] = [];
  #lookedUpAt = -Infinity;
  #timer: Timer | undefined;
  #closing: Promise<void> | undefined;
  #scanning: Promise<void> = Promise.resolve();

  constructor(options: DhcpOptions) {
    const { clock, log, witness, interfaces, subnets, mode } = options;
    this.#options = options;
    this.#store = new LeaseStore(options);
    this.#observer = new Observer({ clock, log, witness });
    this.#world = {
      clock,
      log,
      observer: this.#observer,
      interfaces,
      subnets,
      mode,
      store: this.#store,
      ours: () => this.#ours,
      bootFacts: (address, whom) => {
        const { port, programFor, mayBoot } = options;
        const family = parseAddress(address)!.family;
        const server = this.#endpoint.find((each) => parseAddress(each)?.family === family) ?? address;
        return { server, port, programFor, mayBoot: mayBoot(whom) };
      },
      learn: (address, mac) => {
        if (mac !== undefined) this.#holders.set(address, mac);
      },
    };
  }

  async start(signal?: AbortSignal): Promise<void> {
    await this.#store.open();
    signal?.addEventListener("abort", () => void this.close(), { once: true });
    if (signal?.aborted === true) return this.close();
    await this.#scan();
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#timer?.cancel();
      await this.#scanning;
      await Promise.all([...this.#ears.values()].map((ears) => ears.close()));
      await this.#store.close();
    })();
    return this.#closing;
  }

  status(): DhcpStatus {
    return { interfaces: [...this.#ears.values()].map((ears) => ears.status()), leases: this.#store.counts() };
  }

  holderOf(address: string): string | undefined {
    return this.#store.at(address)?.mac ?? this.#holders.get(address);
  }

  #scan(): Promise<void> {
    this.#scanning = this.#look()
      .catch((error) => this.#options.log.warn(`DHCP: interfaces cannot be listed: ${Fault.from(error).message}`))
      .finally(() => {
        if (this.#closing === undefined) this.#timer = this.#options.clock.after(SCAN, () => void this.#scan());
      });
    return this.#scanning;
  }

  async #look(): Promise<void> {
    await this.#lookup();
    const all = await this.#options.interfaces.list();
    this.#ours = new Set(all.flatMap(({ addresses }) => addresses.map(({ address }) => address)));
    const wanted = new Map(this.#choose(all).map((link) => [link.name, link]));
    for (const [name, ears] of this.#ears) {
      if (wanted.get(name)?.index === ears.index) continue;
      this.#ears.delete(name);
      await ears.close();
      this.#options.log.info(`DHCP: ${name} is gone`);
    }
    for (const [name, link] of wanted) {
      const ears = this.#ears.get(name) ?? new Ears(this.#options, this.#world, link);
      this.#ears.set(name, ears);
      await ears.listen(link);
    }
  }

  async #lookup(): Promise<void> {
    const { endpoint, clock, log } = this.#options;
    if (endpoint === "" || clock.monotonic() - this.#lookedUpAt < LOOKUP) return;
    this.#lookedUpAt = clock.monotonic();
    if (parseAddress(endpoint) !== undefined) {
      this.#endpoint = [endpoint];
      return;
    }
    try {
      this.#endpoint = await this.#options.lookup(endpoint);
    } catch (error) {
      const instead = this.#endpoint.length > 0 ? this.#endpoint.join(", ") : "the address of the interface that they ask on";
      log.warn(`DHCP: ${endpoint} cannot be looked up (${Fault.from(error).message}): machines are told ${instead}`);
    }
  }

  /** Interfaces to listen on. One without MAC address has no broadcasts; one that has no more than a link-local address is a switch's port. */
  #choose(all: readonly Interface[]): readonly Interface[] {
    const { interfaceNames } = this.#options;
    const able = all.filter(({ isUp, isLoopback, mac, addresses }) => {
      return isUp && !isLoopback && mac !== undefined && addresses.some(({ address }) => !/^fe[89ab]/.test(address));
    });
    if (interfaceNames.length > 0) {
      const missing = interfaceNames.filter((name) => !able.some((link) => link.name === name));
      if (missing.length > 0)
        this.#observer.warnOnce(`there is no interface ${missing.join(", ")} that is up and has an address; waiting for it`);
      return able.filter(({ name }) => interfaceNames.includes(name));
    }
    const isEndpoint = (link: Interface): boolean => link.addresses.some(({ address }) => this.#endpoint.includes(address));
    const local = able.filter(isEndpoint);
    if (this.#endpoint.length > 0 && local.length === 0 && !all.some(isEndpoint)) {
      const { endpoint } = this.#options;
      this.#observer.warnOnce(
        `the endpoint ${endpoint} is no address of this host: answering on all interfaces, machines must reach it by some route`,
      );
    }
    return able.filter((link) => local.length === 0 || local.includes(link) || this.#isNamed(link));
  }

  #isNamed(link: Interface): boolean {
    const { subnets } = this.#options;
    const own = subnetsOf(subnets, link, {});
    return own.length > 0 && modeOf(own, "off").mode !== "off";
  }
}
