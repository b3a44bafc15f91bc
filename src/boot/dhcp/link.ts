/** DHCPv4 on one interface: ports 67 and 4011, and an ear for what other servers say to everyone. */
import type { Datagram, Interface, UdpSocket } from "#io/udp.ts";
import type { Answer, Facts, Reply, Scope } from "#decide/dhcp/answer.ts";
import { answer, QUARANTINE } from "#decide/dhcp/answer.ts";
import { modeOf, subnetsOf } from "#decide/dhcp/scope.ts";
import type { Mode } from "#decide/dhcp/scope.ts";
import { includes, parseAddress } from "#decide/dhcp/range.ts";
import type { Subnet } from "#decide/dhcp/subnets.ts";
import { Fault } from "#std/fault.ts";
import { clientOf } from "#wire/dhcp/client.ts";
import type { Client } from "#wire/dhcp/client.ts";
import { PXE_PORT, SERVER_PORT } from "#wire/dhcp/constants.ts";
import { decode } from "#wire/dhcp/decode.ts";
import { encode } from "#wire/dhcp/encode.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { Backlog } from "./backlog.ts";
import type { World } from "./world.ts";

const MAX_PENDING = 4096;
/** Addresses that are tried when strangers sit on them. */
const MAX_TRIES = 8;

export class Link {
  readonly #world: World;
  readonly #subnets: readonly Subnet[];
  /** As it was last seen: its addresses may change. */
  link: Interface;
  readonly #backlog = new Backlog(MAX_PENDING, (error) =>
    this.#world.log.warn(`DHCP on ${this.link.name}: ${Fault.from(error).message}`),
  );

  constructor(world: World, link: Interface) {
    this.#world = world;
    this.#subnets = world.subnets.filter(({ network }) => network.family === 4);
    this.link = link;
  }

  /** A datagram at port 67 or 4011; answers go out by `socket`. */
  receive(datagram: Datagram, socket: UdpSocket): void {
    this.#backlog.take(() => this.#handle(datagram, socket));
  }

  /** Answers nothing more; resolves when everything that came has been answered. */
  close(): Promise<void> {
    return this.#backlog.close();
  }

  /** A broadcast at port 68: somebody's answer, perhaps ours. */
  overhear({ bytes }: Datagram): void {
    const packet = this.#decode(bytes);
    if (packet?.op !== "reply") return;
    const { messageType, serverId, bootFile } = packet.options;
    const client = clientOf(packet);
    const server = serverId ?? packet.siaddr;
    if (!this.#world.observer.isOurs(client) || this.#isOurOwn(packet, server)) return;
    const file = bootFile ?? packet.file;
    const boots = file === "" ? "" : `, to boot ${file}${packet.siaddr === "0.0.0.0" ? "" : ` from ${packet.siaddr}`}`;
    const verb = VERBS[messageType as keyof typeof VERBS] ?? "answered";
    const what = packet.yiaddr === "0.0.0.0" ? "" : ` ${packet.yiaddr}`;
    if (messageType === "ack" && what !== "") this.#world.learn(packet.yiaddr, client.mac);
    const address = messageType === "ack" && what !== "" ? packet.yiaddr : undefined;
    this.#world.observer.sight("dhcp.other-server", client, `${server} ${verb}${what}${boots}`, { address });
    if (boots !== "") this.#world.observer.warnOnce(`on ${this.link.name} ${server} tells machines what to boot, too (${file})`);
    else if (what !== "" && this.#serves()) this.#world.observer.warnOnce(`on ${this.link.name} ${server} gives addresses, too`);
  }

  #serves(): boolean {
    return modeOf(subnetsOf(this.#subnets, this.link, {}), this.#world.mode).mode === "server";
  }

  /** Our broadcasts come back to us. Another server on this host has our address, but not our leases. */
  #isOurOwn({ yiaddr }: Packet, server: string): boolean {
    if (!this.#world.ours().has(server)) return false;
    return yiaddr === "0.0.0.0" || this.#world.store.at(yiaddr) !== undefined;
  }

  #decode(bytes: Uint8Array): Packet | undefined {
    try {
      return decode(bytes);
    } catch (error) {
      this.#world.log.debug(`on ${this.link.name}: ${Fault.from(error).message}`);
      return undefined;
    }
  }

  async #handle({ bytes, from }: Datagram, socket: UdpSocket): Promise<void> {
    const request = this.#decode(bytes);
    if (request?.op !== "request") return;
    const client = clientOf(request);
    const relay = client.relay?.linkSelection ?? (request.giaddr === "0.0.0.0" ? undefined : request.giaddr);
    const own = request.ciaddr === "0.0.0.0" ? undefined : request.ciaddr;
    const possible = subnetsOf(this.#subnets, this.link, { relay, own });
    const { mode: here, serving } = modeOf(possible, this.#world.mode);
    if (here === "off") return;
    const address = this.#addressFor(possible);
    if (address === undefined)
      return this.#world.observer.warnOnce(`${this.link.name} has no IPv4 address: nothing can be answered there`);

    const isSeen = here === "server" || this.#world.observer.isOurs(client);
    if (isSeen && request.options.messageType === "discover") this.#world.observer.discover(client, this.#where(client));
    const whom = {
      ...(client.mac === undefined ? {} : { mac: client.mac }),
      ...(client.uuid === undefined ? {} : { uuid: client.uuid.text }),
    };
    const facts: Facts = {
      now: this.#world.clock.now(),
      port: socket.port === PXE_PORT ? PXE_PORT : SERVER_PORT,
      from,
      address,
      ours: this.#world.ours(),
      boot: possible.some(({ mayBoot }) => !mayBoot) ? undefined : this.#world.bootFacts(address, whom),
      scopes: serving.map((subnet) => ({ subnet, leases: this.#world.store.leasesOf(subnet) })),
    };
    const given = await this.#answer(request, client, facts);
    if (given.kind === "silence") return isSeen ? this.#silent(request, client, given) : undefined;
    if (given.store !== undefined) await this.#world.store.store(given.store);
    await socket.send(encode(given.packet, request.options.maxMessageSize), given.to);
    this.#said(request, client, given, here);
  }

  /** The address in the subnet if there is one: clients compare what they are told with where it comes from. */
  #addressFor(subnets: readonly Subnet[]): string | undefined {
    const own = this.link.addresses.filter(({ family }) => family === 4).map(({ address }) => address);
    return own.find((address) => subnets.some(({ network }) => includes(network, parseAddress(address)!))) ?? own[0];
  }

  #where({ relay }: Client): string {
    return relay === undefined ? `on ${this.link.name}` : `through the relay ${relay.address}`;
  }

  /** Offers no address on which somebody else is seen. */
  async #answer(request: Packet, client: Client, facts: Facts): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const given = answer(request, client, facts);
      if (given.kind === "silence" || given.isNewOffer === undefined || tries > MAX_TRIES) return given;
      const address = given.packet.yiaddr;
      const holder = await this.#world.interfaces.neighbour(address);
      if (holder === undefined || holder === client.mac || this.#isReserved(given.scope, address)) return given;
      given.scope!.leases.quarantine(address, facts.now, QUARANTINE);
      this.#world.observer.warnOnce(`${address} is in use by ${holder}, who did not get it here: it is not offered for a while`);
    }
  }

  /** Its owner may have been there before us; what is written down is not doubted. */
  #isReserved(scope: Scope | undefined, address: string): boolean {
    return scope?.subnet.reservations.some((each) => each.address === address) === true;
  }

  #silent(request: Packet, client: Client, { because, otherServer, store, isRefusal }: Answer & { kind: "silence" }): void {
    const { observer } = this.#world;
    const { messageType, requestedAddress } = request.options;
    if (store !== undefined)
      void this.#world.store.store(store).catch((error) => this.#world.log.warn(`DHCP: ${Fault.from(error).message}`));
    if (otherServer !== undefined) {
      if (requestedAddress !== undefined) this.#world.learn(requestedAddress, client.mac);
      const taken = requestedAddress === undefined ? "an address" : requestedAddress;
      observer.sight("dhcp.other-server", client, `the machine took ${taken} from ${otherServer}`, { address: requestedAddress });
    } else if (isRefusal) {
      observer.refuse(client, because, "an address");
    } else if (messageType === "decline" || messageType === "release") {
      observer.sight("dhcp.request", client, because);
      if (messageType === "decline") observer.warnOnce(`${client.mac ?? "a machine"}: ${because}`);
    }
  }

  #said(request: Packet, client: Client, { packet, text, file, scope }: Reply, mode: Mode): void {
    const { observer } = this.#world;
    const type = packet.options.messageType;
    observer.told(client, file);
    if (type === "ack" && packet.yiaddr !== "0.0.0.0") this.#world.learn(packet.yiaddr, client.mac);
    const next = file === undefined || file.refusal !== undefined ? {} : { waitingFor: `it to fetch ${file.name}` };
    if (type === "nak") {
      observer.sight("dhcp.nak", client, `refused ${request.options.requestedAddress ?? request.ciaddr}: ${text}`);
    } else if (type === "offer") {
      const waitingFor = mode === "proxy" ? "an address from the network's own DHCP server" : "it to take the address";
      observer.sight("dhcp.offer", client, `offered ${text}`, { waitingFor });
    } else {
      observer.sight("dhcp.ack", client, `gave ${text}`, { ...next, address: scope === undefined ? undefined : packet.yiaddr });
    }
    if (file?.refusal !== undefined) observer.refuse(client, `may not boot: ${file.refusal}`);
  }
}

const VERBS = { offer: "offered", ack: "gave", nak: "refused" } as const;
