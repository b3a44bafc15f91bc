/**
 * The answer to a DHCPv4 request: a reply, or silence with its reason. In a network of mode `proxy` we add what to boot to what the network's
 * own server gives; in one of mode `server` we give addresses too.
 */
import { toHex } from "#std/bytes.ts";
import { formatDuration } from "#std/duration.ts";
import type { Client } from "#wire/dhcp/client.ts";
import { CLIENT_PORT, PXE_PORT } from "#wire/dhcp/constants.ts";
import type { Packet } from "#wire/dhcp/packet.ts";
import { bootFileOf, bootFileText } from "./boot-file.ts";
import type { BootFacts, BootFile } from "./boot-file.ts";
import type { Claimant, Lease, Leases } from "./leases.ts";
import { includes, parseAddress } from "./range.ts";
import { destinationOf, leaseOptions, nakTo, NO_PROXY, replyTo, subnetOptions, withBootFile } from "./reply.ts";
import type { Endpoint } from "./reply.ts";
import type { Subnet } from "./subnets.ts";

/** A subnet in which we give addresses, and who has them. */
export interface Scope {
  readonly subnet: Subnet;
  readonly leases: Leases;
}

export interface Facts {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Where the request came to: 67, or 4011 for the boot server. */
  readonly port: number;
  readonly from: Endpoint;
  /** Our address on the interface it came in by: what the client is to call us. */
  readonly address: string;
  /** All addresses that are ours. */
  readonly ours: ReadonlySet<string>;
  /** Undefined where no machine is to boot from the network. */
  readonly boot: BootFacts | undefined;
  /** Subnets of the client's link in which we give addresses, in order; none in mode `proxy`. */
  readonly scopes: readonly Scope[];
}

export interface Reply {
  readonly kind: "reply";
  readonly packet: Packet;
  readonly to: Endpoint;
  /** To be durable before the reply goes out. */
  readonly store?: Lease;
  /** The scope of a lease, offered or given. */
  readonly scope?: Scope;
  /** The address is offered to this client for the first time: somebody else may sit on it. */
  readonly isNewOffer?: true;
  readonly file?: BootFile;
  /** For people: what we said. */
  readonly text: string;
}

export interface Silence {
  readonly kind: "silence";
  /** For people. */
  readonly because: string;
  readonly store?: Lease;
  /** It asked for something that there should be: people must hear of it. */
  readonly isRefusal?: true;
  /** The server that the client says it has chosen, not us. */
  readonly otherServer?: string;
}

export type Answer = Reply | Silence;

/** How long an address that is in use by a stranger is given to nobody. */
export const QUARANTINE = 600_000;

/** The claimant of an address. By MAC address where there is one: firmware, iPXE and the system bear different client identifiers. */
export function claimantOf(request: Packet, client: Client): Claimant {
  const { clientId, hostName } = request.options;
  const id = clientId === undefined ? undefined : toHex(clientId);
  return {
    key: client.mac === undefined ? `id ${id ?? toHex(request.chaddr)}` : `mac ${client.mac}`,
    ...(client.mac === undefined ? {} : { mac: client.mac }),
    uuids: client.uuid === undefined ? [] : [client.uuid.text, client.uuid.swapped],
    ...(id === undefined ? {} : { clientId: id }),
    ...(hostName === undefined ? {} : { hostname: hostName }),
  };
}

/** `facts.scopes` remember what was offered and given: asking again gives the same. Throws nothing. */
export function answer(request: Packet, client: Client, facts: Facts): Answer {
  if (request.op !== "request" || request.options.messageType === undefined) return silence("it is no request");
  const file = facts.boot && bootFileOf(client, facts.boot);
  if (facts.port === PXE_PORT) return fromBootServer(request, client, facts, file);
  if (facts.scopes.length === 0) return fromProxy(request, client, facts, file);
  switch (request.options.messageType) {
    case "discover":
      return offer(request, client, facts, file);
    case "request":
      return give(request, client, facts, file);
    case "inform":
      return inform(request, client, facts, file);
    case "release":
      return release(request, client, facts);
    case "decline":
      return decline(request, client, facts);
    default:
      return silence(`a server does not answer ${request.options.messageType}`);
  }
}

function silence(because: string): Silence {
  return { kind: "silence", because };
}

/** A relay may want to be taken for the server (RFC 5107). */
function serverIdOf(client: Client, facts: Facts): string {
  return client.relay?.serverIdOverride ?? facts.address;
}

/** PXE 2.1 §2.2.4: the client has an address and asks, by unicast, for its file. */
function fromBootServer(request: Packet, client: Client, facts: Facts, file: BootFile | undefined): Answer {
  if (file === undefined) return silence("it does not boot from the network");
  const { messageType } = request.options;
  if (messageType !== "request" && messageType !== "inform" && messageType !== "discover") {
    return silence(`a boot server does not answer ${messageType}`);
  }
  const packet = withBootFile(replyTo(request, "ack", facts.address), client, file, facts.boot!.server, request);
  const to = facts.from.address === "0.0.0.0" ? { address: "255.255.255.255", port: CLIENT_PORT } : facts.from;
  return { kind: "reply", packet, to, file, text: bootFileText(file, facts.boot!) };
}

function fromProxy(request: Packet, client: Client, facts: Facts, file: BootFile | undefined): Answer {
  const { messageType, serverId, requestedAddress = "0.0.0.0" } = request.options;
  if (messageType === "request" && serverId !== undefined) {
    // Who takes an address took it from somebody else: a server that shares our host has our address.
    if (!isOurs(serverId, client, facts) || requestedAddress !== "0.0.0.0") return chosenOther(serverId);
  }
  if (file === undefined) return silence("it does not boot from the network");
  const isForUs = messageType === "discover" || messageType === "inform" || (messageType === "request" && serverId !== undefined);
  if (!isForUs) return silence(`a proxy does not answer ${messageType}`);
  const type = messageType === "discover" ? "offer" : "ack";
  const packet = withBootFile(replyTo(request, type, serverIdOf(client, facts)), client, file, facts.boot!.server, request);
  return { kind: "reply", packet, to: destinationOf(request, packet), file, text: bootFileText(file, facts.boot!) };
}

function isOurs(serverId: string, client: Client, facts: Facts): boolean {
  return facts.ours.has(serverId) || serverId === client.relay?.serverIdOverride;
}

function chosenOther(serverId: string): Silence {
  return { ...silence(`it has chosen the server ${serverId}`), otherServer: serverId };
}

function offer(request: Packet, client: Client, facts: Facts, file: BootFile | undefined): Answer {
  const claimant = claimantOf(request, client);
  for (const scope of byKnowledge(facts.scopes, claimant)) {
    const isKnown = scope.leases.leaseOf(claimant, facts.now) !== undefined;
    const lease = scope.leases.offer(claimant, facts.now, request.options.requestedAddress);
    if (lease === undefined) continue;
    const reply = withLease(request, client, facts, { scope, lease, file, type: "offer" });
    return { ...reply, ...(isKnown ? {} : { isNewOffer: true }) };
  }
  return { ...silence(`no address is free in ${facts.scopes.map(({ subnet }) => subnet.name).join(" and ")}`), isRefusal: true };
}

/** Where the client has, had or is to have an address, before the others. */
function byKnowledge(scopes: readonly Scope[], claimant: Claimant): readonly Scope[] {
  const known =
    scopes.find(({ leases }) => leases.reservationOf(claimant) !== undefined) ??
    scopes.find(({ leases }) => leases.knows(claimant));
  return known === undefined ? scopes : [known, ...scopes.filter((scope) => scope !== known)];
}

/** RFC 2131 §4.3.2: the client selects our offer, or asks whether it may keep what it has. */
function give(request: Packet, client: Client, facts: Facts, file: BootFile | undefined): Answer {
  const { serverId, requestedAddress } = request.options;
  const claimant = claimantOf(request, client);
  if (serverId !== undefined && !isOurs(serverId, client, facts)) {
    for (const { leases } of facts.scopes) leases.withdraw(claimant, facts.now);
    return chosenOther(serverId);
  }
  const isRenewing = request.ciaddr !== "0.0.0.0";
  const wanted = isRenewing ? request.ciaddr : requestedAddress;
  if (wanted === undefined) return silence("it requests no address");
  const scope = scopeAt(facts.scopes, wanted);
  const problem = scope === undefined ? `${wanted} is not of this network` : keepProblem(scope, claimant, wanted, facts.now);
  if (scope === undefined || problem !== undefined) {
    const packet = nakTo(request, serverIdOf(client, facts), problem!);
    return { kind: "reply", packet, to: destinationOf(request, packet), text: problem! };
  }
  const reserved = scope.leases.reservationOf(claimant)?.hostname;
  const named = reserved === undefined ? claimant : { ...claimant, hostname: reserved };
  const lease = scope.leases.bind(named, wanted, facts.now, scope.subnet.leaseTime);
  return { ...withLease(request, client, facts, { scope, lease, file, type: "ack" }), store: lease };
}

function scopeAt(scopes: readonly Scope[], address: string): Scope | undefined {
  const parsed = parseAddress(address);
  return parsed && scopes.find(({ subnet }) => includes(subnet.network, parsed));
}

function keepProblem({ leases, subnet }: Scope, claimant: Claimant, address: string, now: number): string | undefined {
  if (leases.mayHave(claimant, address, now)) return undefined;
  const holder = leases.at(address);
  if (holder !== undefined && holder.expires > now && holder.client !== claimant.key) return `${address} is another machine's`;
  return `${address} is not given away in ${subnet.name}`;
}

interface Given {
  readonly scope: Scope;
  readonly lease: Lease;
  readonly file: BootFile | undefined;
  readonly type: "offer" | "ack";
}

function withLease(request: Packet, client: Client, facts: Facts, { scope, lease, file, type }: Given): Reply {
  const { subnet, leases } = scope;
  const hostname = leases.reservationOf(claimantOf(request, client))?.hostname ?? lease.hostname;
  const site = subnetOptions(subnet, request, hostname);
  const base = replyTo(request, type, serverIdOf(client, facts));
  const noProxy = client.program === "ipxe" ? NO_PROXY : {};
  const bare: Packet = {
    ...base,
    yiaddr: lease.address,
    options: { ...base.options, ...noProxy, ...leaseOptions(subnet.leaseTime), ...site.options },
    ...(site.others === undefined ? {} : { others: site.others }),
  };
  const packet = file === undefined ? bare : withBootFile(bare, client, file, facts.boot!.server, request);
  const boots = file === undefined ? "" : `, and ${bootFileText(file, facts.boot!)}`;
  return {
    kind: "reply",
    packet,
    to: destinationOf(request, packet),
    scope,
    ...(file === undefined ? {} : { file }),
    text: `${lease.address} for ${formatDuration(subnet.leaseTime)}${boots}`,
  };
}

/** RFC 2131 §4.3.5: it has an address of its own and wants the rest. */
function inform(request: Packet, client: Client, facts: Facts, file: BootFile | undefined): Answer {
  const scope = scopeAt(facts.scopes, request.ciaddr);
  if (scope === undefined) return silence(`${request.ciaddr} is not of this network`);
  const site = subnetOptions(scope.subnet, request, undefined);
  const base = replyTo(request, "ack", serverIdOf(client, facts));
  const bare = {
    ...base,
    options: { ...base.options, ...site.options },
    ...(site.others === undefined ? {} : { others: site.others }),
  };
  const packet = file === undefined ? bare : withBootFile(bare, client, file, facts.boot!.server, request);
  return {
    kind: "reply",
    packet,
    to: destinationOf(request, packet),
    ...(file === undefined ? {} : { file }),
    text: "options, as it has an address",
  };
}

function release(request: Packet, client: Client, facts: Facts): Silence {
  const lease = scopeAt(facts.scopes, request.ciaddr)?.leases.release(claimantOf(request, client), request.ciaddr, facts.now);
  if (lease === undefined) return silence(`it releases ${request.ciaddr}, which it does not have`);
  return { ...silence(`it released ${request.ciaddr}`), store: lease };
}

/** RFC 2131 §4.3.3: the client found that somebody uses the address. Only who was given it is believed. */
function decline(request: Packet, client: Client, facts: Facts): Silence {
  const address = request.options.requestedAddress ?? "";
  const leases = scopeAt(facts.scopes, address)?.leases;
  if (leases?.leaseOf(claimantOf(request, client), facts.now)?.address !== address) {
    return silence(`it declines ${address}, which it does not have`);
  }
  const lease = leases.quarantine(address, facts.now, QUARANTINE);
  return { ...silence(`it found ${address} in use by another machine`), store: lease };
}
