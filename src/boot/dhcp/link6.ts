/** DHCPv6 and router solicitations on one interface. */
import type { Datagram, Interface, UdpSocket } from "#io/udp.ts";
import type { Icmp6Socket } from "#io/icmp6.ts";
import { modeOf, subnetsOf } from "#decide/dhcp/scope.ts";
import type { Answer6 } from "#decide/dhcp/v6/answer.ts";
import { answer6, linkAddressOf, reachable, throughRelays } from "#decide/dhcp/v6/answer.ts";
import { parseMac } from "#std/address.ts";
import { Fault } from "#std/fault.ts";
import type { Client } from "#wire/dhcp/client.ts";
import { ETHERNET } from "#wire/dhcp/constants.ts";
import { clientOf, macOfLinkLocal } from "#wire/dhcp/v6/client.ts";
import { CLIENT_PORT, SERVER_PORT } from "#wire/dhcp/v6/constants.ts";
import { decode } from "#wire/dhcp/v6/decode.ts";
import { encode } from "#wire/dhcp/v6/encode.ts";
import type { Duid, MessageType, Packet } from "#wire/dhcp/v6/packet.ts";
import { ALL_NODES, encodeRouterAdvertisement } from "#wire/ndp/router.ts";
import { Backlog } from "./backlog.ts";
import type { World } from "./world.ts";

/** RFC 4861 §10: MIN_DELAY_BETWEEN_RAS, for those that go to everyone. */
const ADVERTISE_AGAIN = 3000;
const MAX_PENDING = 4096;

export class Link6 {
  readonly #world: World;
  /** As it was last seen: its addresses may change. */
  link: Interface;
  readonly #backlog = new Backlog(MAX_PENDING, (error) =>
    this.#world.log.warn(`DHCPv6 on ${this.link.name}: ${Fault.from(error).message}`),
  );
  #advertisedAt = -Infinity;

  constructor(world: World, link: Interface) {
    this.#world = world;
    this.link = link;
  }

  /** A datagram at port 547. */
  receive(datagram: Datagram, socket: UdpSocket): void {
    this.#backlog.take(() => this.#handle(datagram, socket));
  }

  /** Answers nothing more; resolves when everything that came has been answered. */
  close(): Promise<void> {
    return this.#backlog.close();
  }

  /**
   * A router solicitation. We are no router and say so (lifetime 0): old iPXE waits 16 s for any advertisement before it boots. Where we give
   * addresses, it is also how hosts learn that there is DHCPv6; elsewhere only machines that boot now hear us.
   */
  async solicited({ from }: Datagram, socket: Icmp6Socket): Promise<void> {
    const { clock, observer, subnets, mode, log } = this.#world;
    const { mode: here, serving } = modeOf(subnetsOf(subnets, this.link, {}), mode);
    const mac = macOfLinkLocal(from.address);
    if (here !== "server" && (mac === undefined || !observer.isOurs({ program: "other", mac }))) return;
    const now = clock.monotonic();
    const isToAll = from.address === "::";
    if (isToAll && now - this.#advertisedAt < ADVERTISE_AGAIN) return;
    if (isToAll) this.#advertisedAt = now;
    const isManaged = serving.some(({ network }) => network.family === 6);
    const bytes = encodeRouterAdvertisement({ isManaged, hasOther: isManaged, routerLifetime: 0 });
    await socket
      .send(bytes, isToAll ? ALL_NODES : from.address)
      .catch((error) => log.debug(`router advertisement on ${this.link.name}: ${Fault.from(error).message}`));
  }

  async #handle({ bytes, from }: Datagram, socket: UdpSocket): Promise<void> {
    const packet = this.#decode(bytes);
    if (packet === undefined) return;
    const { client, message } = clientOf(packet, from.address);
    const { subnets, mode, observer } = this.#world;
    const possible = subnetsOf(subnets, this.link, { relay: linkAddressOf(packet) }).filter(
      ({ network }) => network.family === 6,
    );
    const { mode: here, serving } = modeOf(possible, mode);
    const duid = this.#duid();
    if (here === "off" || duid === undefined) return;
    const isSeen = observer.isOurs(client);
    if (isSeen && (message.type === "solicit" || message.type === "information-request"))
      observer.discover(client, `by IPv6 on ${this.link.name}`);
    const server = reachable(this.link.addresses.map(({ address }) => address));
    const whom = {
      ...(client.mac === undefined ? {} : { mac: client.mac }),
      ...(client.uuid === undefined ? {} : { uuid: client.uuid.text }),
    };
    const mayBoot = possible.every((subnet) => subnet.mayBoot);
    const given = answer6(message, client, {
      now: this.#world.clock.now(),
      duid,
      boot: server === undefined || !mayBoot ? undefined : this.#world.bootFacts(server, whom),
      scopes: serving.map((subnet) => ({ subnet, leases: this.#world.store.leasesOf(subnet) })),
    });
    if (given.kind === "silence") return this.#world.log.debug(`DHCPv6 on ${this.link.name}: ${message.type}: ${given.because}`);
    await Promise.all(given.store.map((lease) => this.#world.store.store(lease)));
    const port = packet.kind === "relay" ? SERVER_PORT : CLIENT_PORT;
    await socket.send(encode(throughRelays(packet, given.message)), { address: from.address, port });
    const address = given.message.options.iaNa?.[0]?.options.addresses?.[0]?.address;
    if (given.message.type === "reply" && address !== undefined) this.#world.learn(address, client.mac);
    if (isSeen) this.#said(message.type, client, given, address);
  }

  #said(
    type: MessageType,
    client: Client,
    { message, text, file }: Answer6 & { kind: "reply" },
    address: string | undefined,
  ): void {
    const { observer } = this.#world;
    observer.told(client, file);
    if (type === "release" || type === "decline" || type === "confirm") {
      observer.sight("dhcp.request", client, `${text} by DHCPv6`);
    } else if (message.type === "advertise") {
      observer.sight("dhcp.offer", client, `offered ${text} by DHCPv6`, { waitingFor: "it to take the address" });
    } else {
      const next =
        file === undefined || file.refusal !== undefined ? {} : { waitingFor: `it to fetch ${message.options.bootFileUrl}` };
      observer.sight("dhcp.ack", client, `gave ${text} by DHCPv6`, { ...next, address });
    }
    if (file?.refusal !== undefined) observer.refuse(client, `may not boot: ${file.refusal}`);
  }

  #decode(bytes: Uint8Array): Packet | undefined {
    try {
      return decode(bytes);
    } catch (error) {
      this.#world.log.debug(`on ${this.link.name}: ${Fault.from(error).message}`);
      return undefined;
    }
  }

  /** RFC 8415 §11.4: made of the interface's own address, so it is the same after every restart. */
  #duid(): Duid | undefined {
    const address = parseMac(this.link.mac ?? "");
    return address && { kind: "link-layer", htype: ETHERNET, address };
  }
}
