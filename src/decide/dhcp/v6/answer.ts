/** The answer to a DHCPv6 request (RFC 8415 §18.3): addresses in subnets of mode `server`, what to boot (RFC 5970) in every one. */
import { formatAddress, includes, networkOf, parseAddress } from "../range.ts";
import { toHex } from "#std/bytes.ts";
import type { Client } from "#wire/dhcp/client.ts";
import { duid as duidCodec } from "#wire/dhcp/v6/duid.ts";
import { INTEL, STATUS } from "#wire/dhcp/v6/constants.ts";
import { OPTIONS } from "#wire/dhcp/v6/option.ts";
import type { Duid, Ia, IaAddress, Message, MessageType, Options, Packet, Status } from "#wire/dhcp/v6/packet.ts";
import { QUARANTINE } from "../answer.ts";
import type { Scope } from "../answer.ts";
import { bootFileOf } from "../boot-file.ts";
import type { BootFacts, BootFile } from "../boot-file.ts";
import type { Claimant, Lease } from "../leases.ts";

export interface Facts6 {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly duid: Duid;
  /** Undefined where no machine boots from the network, or where we have no address that it could reach. */
  readonly boot: BootFacts | undefined;
  /** Subnets of the client's link in which we give addresses, in order. */
  readonly scopes: readonly Scope[];
}

export type Answer6 =
  | {
      readonly kind: "reply";
      readonly message: Message;
      /** To be durable before the reply goes out. */
      readonly store: readonly Lease[];
      /** For people: what was given, or what the client said. */
      readonly text: string;
      readonly file?: BootFile;
    }
  | { readonly kind: "silence"; readonly because: string };

const BOOT_FILE_URL = 59;
const DNS_SERVERS = 23;
const DOMAIN_SEARCH = 24;

/** `request` is what is inside the relays. Throws nothing. */
export function answer6(request: Message, client: Client, facts: Facts6): Answer6 {
  const problem = invalid(request, facts);
  if (problem !== undefined) return { kind: "silence", because: problem };
  const boots = bootOptions(request, client, facts);
  if (request.type === "information-request") {
    // In a network of somebody else's only machines that want to boot are any business of ours.
    if (facts.scopes.length === 0 && boots.options.bootFileUrl === undefined)
      return { kind: "silence", because: "it does not boot from the network" };
    return reply(request, facts, "reply", { ...siteOptions(request, facts.scopes[0]), ...boots.options }, [], boots);
  }
  if (facts.scopes.length === 0) return { kind: "silence", because: "no addresses are given here" };
  const answered = addresses(request, client, facts);
  const type = request.type === "solicit" && request.options.rapidCommit !== true ? "advertise" : "reply";
  const isGiving = ["solicit", "request", "renew", "rebind"].includes(request.type);
  const rest = isGiving ? { ...siteOptions(request, facts.scopes[0]), ...boots.options } : {};
  return reply(request, facts, type, { ...rest, ...answered.options }, answered.leases, boots);
}

/** RFC 8415 §16: what makes a message none to answer. */
function invalid({ type, options }: Message, { duid }: Facts6): string | undefined {
  if (["advertise", "reply", "reconfigure"].includes(type)) return `a server does not answer ${type}`;
  if (options.clientId === undefined && type !== "information-request") return "it does not say who it is";
  const isFromAnyone = ["solicit", "confirm", "rebind"].includes(type);
  if (isFromAnyone && options.serverId !== undefined) return `a ${type} names no server`;
  if (isFromAnyone || (type === "information-request" && options.serverId === undefined)) return undefined;
  return options.serverId !== undefined && duidText(options.serverId) === duidText(duid)
    ? undefined
    : "it has chosen another server";
}

function reply(
  request: Message,
  facts: Facts6,
  type: MessageType,
  options: Options,
  leases: readonly Lease[],
  { file }: Pick<Boots, "file">,
): Answer6 {
  const { clientId, rapidCommit } = request.options;
  const message: Message = {
    kind: "message",
    type,
    transactionId: request.transactionId,
    options: {
      ...(clientId === undefined ? {} : { clientId }),
      serverId: facts.duid,
      ...(request.type === "solicit" && rapidCommit ? { rapidCommit } : {}),
      ...options,
    },
  };
  const store = leases.filter(({ state, expires }) => state !== "offered" || expires <= facts.now);
  return { kind: "reply", message, store, text: textOf(request, message, file), ...(file === undefined ? {} : { file }) };
}

function textOf(request: Message, { options }: Message, file: BootFile | undefined): string {
  const addresses = ({ iaNa = [] }: Options): string[] =>
    iaNa.flatMap((ia) => (ia.options.addresses ?? []).map(({ address }) => address));
  if (["release", "decline", "confirm"].includes(request.type))
    return `${request.type} of ${addresses(request.options).join(" and ") || "nothing"}`;
  const boots = file?.refusal === undefined ? options.bootFileUrl : `nothing to boot (${file.refusal})`;
  return [...addresses(options), ...(boots === undefined ? [] : [boots])].join(", ") || "options";
}

interface Boots {
  readonly options: Options;
  readonly file?: BootFile;
}

/**
 * RFC 5970 §3.1. Firmware that boots from HTTP takes no URL without its own class (UEFI §24.7.3); to PXE firmware its class would say that it has
 * to ask a boot server for the file, which there is none of.
 */
function bootOptions(request: Message, client: Client, { boot }: Facts6): Boots {
  const isAsked = request.options.requestedOptions?.includes(BOOT_FILE_URL) === true;
  const file = boot && bootFileOf(client, boot);
  if (file === undefined || boot === undefined || (!isAsked && client.program === "other")) return { options: {} };
  const bootFileUrl = file.transport === "http" ? file.name : `tftp://[${boot.server}]/${file.name}`;
  const vendorClasses = [{ enterprise: INTEL, classes: ["HTTPClient"] }];
  return {
    options: { bootFileUrl, ...(client.program === "http" ? { vendorClasses } : {}) },
    file,
  };
}

function siteOptions(request: Message, scope: Scope | undefined): Options {
  if (scope === undefined) return {};
  const { dnsServers, domainSearch, domainName, options: added } = scope.subnet;
  const asked = (code: number): boolean => request.options.requestedOptions?.includes(code) ?? false;
  const search = domainSearch.length > 0 ? domainSearch : domainName === undefined ? [] : [domainName];
  return {
    ...(dnsServers.length > 0 && asked(DNS_SERVERS) ? { dnsServers } : {}),
    ...(search.length > 0 && asked(DOMAIN_SEARCH) ? { domainSearch: search } : {}),
    ...OPTIONS.read(added.map((option) => ({ ...option, offset: 0, valueOffset: 0 }))).options,
  };
}

interface Answered {
  readonly options: Options;
  readonly leases: readonly Lease[];
}

/** Every identity association by itself; those that we do not serve get the reason (RFC 8415 §18.3.1 and on). */
function addresses(request: Message, client: Client, facts: Facts6): Answered {
  const { iaNa = [], iaPd = [] } = request.options;
  if (request.type === "confirm") return { options: { status: confirmed(iaNa, facts) }, leases: [] };
  const answered = iaNa.map((ia, i) => association(request, client, facts, ia, i));
  const options: Options = {
    ...(iaNa.length === 0 ? {} : { iaNa: answered.map(({ ia }) => ia) }),
    ...(iaPd.length === 0
      ? {}
      : { iaPd: iaPd.map(({ id }) => refusedIa(id, STATUS.noPrefixAvail, "no prefixes are given here")) }),
  };
  const isEnd = request.type === "release" || request.type === "decline";
  return {
    options: isEnd ? { status: { code: STATUS.success, message: "" } } : options,
    leases: answered.flatMap(({ leases }) => leases),
  };
}

function association(
  request: Message,
  client: Client,
  facts: Facts6,
  ia: Ia,
  place: number,
): { ia: Ia; leases: readonly Lease[] } {
  const claimant = claimantOf(request, client, ia, place);
  const asked = (ia.options.addresses ?? []).map(({ address }) => address);
  const { now, scopes } = facts;
  switch (request.type) {
    case "solicit":
    case "request": {
      const scope =
        scopes.find(({ leases }) => leases.knows(claimant)) ??
        scopes.find((each) => each.leases.offer(claimant, now, asked[0]) !== undefined);
      const offered = scope?.leases.offer(claimant, now, asked[0]);
      if (scope === undefined || offered === undefined)
        return { ia: refusedIa(ia.id, STATUS.noAddrsAvail, "no address is free"), leases: [] };
      const isBinding = request.type === "request" || request.options.rapidCommit === true;
      const lease = isBinding ? scope.leases.bind(claimant, offered.address, now, scope.subnet.leaseTime) : offered;
      return { ia: givenIa(ia.id, [leased(lease.address, scope.subnet.leaseTime)], scope.subnet.leaseTime), leases: [lease] };
    }
    case "renew":
    case "rebind": {
      const kept = asked.flatMap((address) =>
        scopes.filter(({ leases }) => leases.mayHave(claimant, address, now)).map((scope) => ({ scope, address })),
      )[0];
      if (kept === undefined && asked.length === 0)
        return { ia: refusedIa(ia.id, STATUS.noBinding, "no address is known"), leases: [] };
      // RFC 8415 §18.3.4: lifetimes of 0 tell the client to give an address up.
      const lost = asked.filter((address) => address !== kept?.address).map((address) => leased(address, 0));
      if (kept === undefined) return { ia: givenIa(ia.id, lost, 0), leases: [] };
      const { leaseTime } = kept.scope.subnet;
      const lease = kept.scope.leases.bind(claimant, kept.address, now, leaseTime);
      return { ia: givenIa(ia.id, [leased(kept.address, leaseTime), ...lost], leaseTime), leases: [lease] };
    }
    case "release":
      return {
        ia,
        leases: asked.flatMap((address) => scopes.flatMap(({ leases }) => leases.release(claimant, address, now) ?? [])),
      };
    case "decline": {
      const held = asked.flatMap((address) =>
        scopes
          .filter(({ leases }) => leases.leaseOf(claimant, now)?.address === address)
          .map(({ leases }) => ({ leases, address })),
      );
      return { ia, leases: held.map(({ leases, address }) => leases.quarantine(address, now, QUARANTINE)) };
    }
    default:
      return { ia, leases: [] };
  }
}

/** By DUID and association, as RFC 8415 §12 has it. Reservations are for a machine's first association. */
function claimantOf({ options }: Message, client: Client, { id }: Ia, place: number): Claimant {
  const duid = duidText(options.clientId!);
  const key = `duid ${duid} ${id}`;
  if (place > 0) return { key, uuids: [] };
  return {
    key,
    ...(client.mac === undefined ? {} : { mac: client.mac }),
    uuids: client.uuid === undefined ? [] : [client.uuid.text, client.uuid.swapped],
    clientId: duid,
  };
}

function duidText(duid: Duid): string {
  return toHex(duidCodec.write(duid) ?? new Uint8Array());
}

function leased(address: string, duration: number): IaAddress {
  return { address, preferredLifetime: duration, validLifetime: duration, options: {} };
}

/** T1 and T2 at RFC 8415 §21.4's fractions. */
function givenIa(id: number, list: readonly IaAddress[], duration: number): Ia {
  return { id, t1: duration * 0.5, t2: duration * 0.8, options: { addresses: list } };
}

function refusedIa(id: number, code: number, message: string): Ia {
  return { id, t1: 0, t2: 0, options: { status: { code, message } } };
}

/** RFC 8415 §18.3.3: whether the addresses are of the link at all. */
function confirmed(associations: readonly Ia[], { scopes }: Facts6): Status {
  const asked = associations.flatMap((ia) => (ia.options.addresses ?? []).map(({ address }) => parseAddress(address)));
  const isHere = asked.every(
    (address) => address !== undefined && scopes.some(({ subnet }) => includes(subnet.network, address)),
  );
  return isHere ? { code: STATUS.success, message: "" } : { code: STATUS.notOnLink, message: "not of this link" };
}

/** The reply in as many relays as the request came in (RFC 8415 §19.3). */
export function throughRelays(request: Packet, message: Message): Packet {
  if (request.kind === "message") return message;
  const { interfaceId } = request.options;
  return {
    kind: "relay",
    type: "relay-reply",
    hopCount: request.hopCount,
    linkAddress: request.linkAddress,
    peerAddress: request.peerAddress,
    message: throughRelays(request.message, message),
    options: interfaceId === undefined ? {} : { interfaceId },
  };
}

/** The address of the client's link that the relay nearest to it names; undefined without relay, or when none names one. */
export function linkAddressOf(request: Packet): string | undefined {
  if (request.kind === "message") return undefined;
  const inner = linkAddressOf(request.message);
  return inner ?? (request.linkAddress === "::" ? undefined : request.linkAddress);
}

/** The first of our addresses that machines elsewhere can reach: not of one link alone. */
export function reachable(addresses: readonly string[]): string | undefined {
  const linkLocal = networkOf(parseAddress("fe80::")!, 10);
  return addresses.find((text) => {
    const address = parseAddress(text);
    return address?.family === 6 && !includes(linkLocal, address) && formatAddress(address) !== "::1";
  });
}
