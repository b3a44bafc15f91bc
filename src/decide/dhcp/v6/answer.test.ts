import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "#std/bytes.ts";
import { STATUS } from "#wire/dhcp/v6/constants.ts";
import { clientOf } from "#wire/dhcp/v6/client.ts";
import { decode } from "#wire/dhcp/v6/decode.ts";
import { encode } from "#wire/dhcp/v6/encode.ts";
import type { Duid, Ia, Message, MessageType, Options, Packet } from "#wire/dhcp/v6/packet.ts";
import { programFor } from "../../../../test/boot/dhcp-client.ts";
import vectors from "../../../../test/vectors/dhcp/captures.json" with { type: "json" };
import type { Scope } from "../answer.ts";
import { Leases } from "../leases.ts";
import { readSubnets } from "../subnets.ts";
import { answer6, linkAddressOf, reachable, throughRelays } from "./answer.ts";
import type { Answer6, Facts6 } from "./answer.ts";

const OURS: Duid = { kind: "link-layer", htype: 1, address: fromHex("525400000001")! };
const OTHERS: Duid = { kind: "link-layer", htype: 1, address: fromHex("525400000002")! };
const BOOT = { server: "fd77::1", port: 8081, programFor, mayBoot: true } as const;

function scope(fields: object = {}): Scope {
  const entry = {
    subnet: "fd77::/64",
    mode: "server",
    pools: ["fd77::50-fd77::51"],
    dns: ["fd77::2"],
    domain: "example.org",
    leaseTime: "10m",
    ...fields,
  };
  const subnet = readSubnets({ subnets: [entry] })[0]!;
  return { subnet, leases: new Leases(subnet) };
}

function message(type: MessageType, options: Options = {}, machine = 1): Message {
  const clientId: Duid = { kind: "link-layer", htype: 1, address: Uint8Array.of(2, 0, 0, 0, 0, machine) };
  return { kind: "message", type, transactionId: 7, options: { clientId, ...options } };
}

function ia(...addresses: string[]): Ia {
  const list = addresses.map((address) => ({ address, preferredLifetime: 0, validLifetime: 0, options: {} }));
  return { id: 9, t1: 0, t2: 0, options: list.length === 0 ? {} : { addresses: list } };
}

function ask(packet: Message, facts: Partial<Facts6> = {}): Answer6 {
  return answer6(packet, clientOf(packet, "fe80::1").client, { now: 0, duid: OURS, boot: BOOT, scopes: [], ...facts });
}

/** What the client reads, and what has to be stored. */
function reply(packet: Message, facts: Partial<Facts6> = {}): Message & { store: readonly string[] } {
  const given = ask(packet, facts);
  if (given.kind === "silence") assert.fail(given.because);
  return { ...(decode(encode(given.message)) as Message), store: given.store.map(({ address, state }) => `${state} ${address}`) };
}

function silence(packet: Message, facts: Partial<Facts6> = {}): string {
  const given = ask(packet, facts);
  return given.kind === "silence" ? given.because : assert.fail(given.text);
}

/** Addresses and their valid lifetimes in seconds, or the status, of the first association. */
function given({ options }: Message): unknown[] {
  const first = options.iaNa![0]!;
  return first.options.status === undefined
    ? (first.options.addresses ?? []).map(({ address, validLifetime }) => [address, validLifetime / 1000])
    : [first.options.status.code];
}

test("the four messages of RFC 8415 §5, and renewal", () => {
  const scopes = [scope()];
  const advertise = reply(message("solicit", { iaNa: [ia()], requestedOptions: [23, 24] }), { scopes });
  assert.deepEqual(
    [advertise.type, advertise.transactionId, advertise.store, given(advertise)],
    ["advertise", 7, [], [["fd77::50", 600]]],
  );
  assert.deepEqual(
    [advertise.options.serverId, advertise.options.dnsServers, advertise.options.domainSearch],
    [OURS, ["fd77::2"], ["example.org"]],
  );
  assert.deepEqual(
    [advertise.options.iaNa![0]!.id, advertise.options.iaNa![0]!.t1, advertise.options.iaNa![0]!.t2],
    [9, 300_000, 480_000],
  );
  const bound = reply(message("request", { iaNa: [ia("fd77::50")], serverId: OURS }), { scopes });
  assert.deepEqual([bound.type, bound.store, given(bound)], ["reply", ["bound fd77::50"], [["fd77::50", 600]]]);
  const renewed = reply(message("renew", { iaNa: [ia("fd77::50")], serverId: OURS }), { scopes, now: 1000 });
  assert.deepEqual([renewed.store, given(renewed)], [["bound fd77::50"], [["fd77::50", 600]]]);
  const rapid = reply(message("solicit", { iaNa: [ia()], rapidCommit: true }, 2), { scopes });
  assert.deepEqual([rapid.type, rapid.options.rapidCommit, rapid.store], ["reply", true, ["bound fd77::51"]]);
  const none = reply(message("solicit", { iaNa: [ia()] }, 3), { scopes });
  assert.deepEqual([none.type, given(none)], ["advertise", [STATUS.noAddrsAvail]]);
});

test("what the client may not keep is taken from it; what it gives up is free; what it declines is nobody's", () => {
  const scopes = [scope()];
  reply(message("request", { iaNa: [ia()], serverId: OURS }), { scopes });
  const stolen = reply(message("rebind", { iaNa: [ia("fd77::50", "fd99::1")] }, 2), { scopes });
  assert.deepEqual(
    [given(stolen), stolen.store],
    [
      [
        ["fd77::50", 0],
        ["fd99::1", 0],
      ],
      [],
    ],
  );
  assert.deepEqual(given(reply(message("renew", { iaNa: [ia()], serverId: OURS }, 2), { scopes })), [STATUS.noBinding]);
  const released = reply(message("release", { iaNa: [ia("fd77::50")], serverId: OURS }), { scopes, now: 5 });
  assert.deepEqual([released.options.status, released.store], [{ code: 0, message: "" }, ["bound fd77::50"]]);
  assert.equal(scopes[0]!.leases.at("fd77::50")!.expires, 5);
  reply(message("request", { iaNa: [ia()], serverId: OURS }, 2), { scopes, now: 6 });
  assert.deepEqual(reply(message("decline", { iaNa: [ia("fd77::51")], serverId: OURS }, 2), { scopes, now: 7 }).store, [
    "quarantined fd77::51",
  ]);
  assert.deepEqual(reply(message("decline", { iaNa: [ia("fd77::50")], serverId: OURS }, 3), { scopes, now: 7 }).store, []);
});

test("addresses are confirmed or not; prefixes are not given", () => {
  const scopes = [scope()];
  assert.equal(reply(message("confirm", { iaNa: [ia("fd77::1234")] }), { scopes }).options.status!.code, STATUS.success);
  assert.equal(reply(message("confirm", { iaNa: [ia("fd99::1")] }), { scopes }).options.status!.code, STATUS.notOnLink);
  const advertise = reply(message("solicit", { iaPd: [ia()] }), { scopes });
  assert.equal(advertise.options.iaPd![0]!.options.status!.code, STATUS.noPrefixAvail);
});

test("what is no request to us is passed over", () => {
  const scopes = [scope()];
  const cases: [Message, RegExp][] = [
    [message("advertise"), /does not answer advertise/],
    [message("solicit", { serverId: OURS }), /names no server/],
    [message("request", { serverId: OTHERS, iaNa: [ia()] }), /chosen another server/],
    [message("renew", { iaNa: [ia()] }), /chosen another server/],
    [{ ...message("solicit"), options: {} }, /does not say who/],
    [message("information-request", { serverId: OTHERS }), /chosen another server/],
  ];
  for (const [packet, expected] of cases) assert.match(silence(packet, { scopes }), expected);
  assert.match(silence(message("solicit", { iaNa: [ia()] })), /no addresses are given here/);
  assert.match(silence(message("information-request", { requestedOptions: [23] })), /does not boot/);
});

test("firmware is told what to boot, with the class that it looks for", () => {
  const ask59 = (vendor: string, clientArchitectures: number[], type: MessageType = "information-request"): Options => {
    return reply(
      message(type, { requestedOptions: [59], clientArchitectures, vendorClasses: [{ enterprise: 343, classes: [vendor] }] }),
    ).options;
  };
  const pxe = ask59("PXEClient:Arch:00007:UNDI:003000", [7]);
  assert.deepEqual([pxe.bootFileUrl, pxe.vendorClasses], ["tftp://[fd77::1]/snp.efi", undefined]);
  const http = ask59("HTTPClient:Arch:00019:UNDI:003000", [19]);
  assert.deepEqual(
    [http.bootFileUrl, http.vendorClasses],
    ["http://[fd77::1]:8081/tftp/snp-arm64.efi", [{ enterprise: 343, classes: ["HTTPClient"] }]],
  );
  assert.equal(
    reply(message("information-request", { userClasses: ["iPXE"] })).options.bootFileUrl,
    "http://[fd77::1]:8081/boot.ipxe",
  );
  assert.equal(
    ask59("PXEClient:Arch:00006:UNDI:003000", [6]).bootFileUrl,
    "tftp://[fd77::1]/refused/no-boot-program-for-x86-UEFI",
  );
  const packet = message("information-request", { requestedOptions: [59], clientArchitectures: [7] });
  assert.match(silence(packet, { boot: undefined }), /does not boot/);
});

test("captured OVMF gets an address and a URL, through two relays", () => {
  const inner = decode(fromHex(vectors.captures6[0]!.hex)!);
  const relay = (packet: Packet, linkAddress: string, hopCount: number): Packet => {
    return {
      kind: "relay",
      type: "relay-forward",
      hopCount,
      linkAddress,
      peerAddress: "fe80::2",
      message: packet,
      options: { interfaceId: Uint8Array.of(hopCount) },
    };
  };
  const relayed = relay(relay(inner, "fd77::ffff", 0), "fd00::1", 1);
  assert.equal(linkAddressOf(relayed), "fd77::ffff");
  assert.equal(linkAddressOf(relay(relay(inner, "::", 0), "fd00::1", 1)), "fd00::1");
  assert.equal(linkAddressOf(inner), undefined);
  const { client, message: request } = clientOf(relayed, "fd00::1");
  const given6 = answer6(request, client, {
    now: 0,
    duid: OURS,
    boot: BOOT,
    scopes: [scope({ reservations: [{ uuid: client.uuid!.text, address: "fd77::9" }] })],
  });
  if (given6.kind === "silence") assert.fail(given6.because);
  assert.equal(given6.text, "fd77::9, tftp://[fd77::1]/snp.efi");
  const outer = decode(encode(throughRelays(relayed, given6.message)));
  assert.equal(outer.kind, "relay");
  const shells = outer.kind === "relay" && outer.message.kind === "relay" ? [outer, outer.message] : [];
  assert.deepEqual(
    shells.map(({ type, linkAddress, options }) => [type, linkAddress, options.interfaceId]),
    [
      ["relay-reply", "fd00::1", Uint8Array.of(1)],
      ["relay-reply", "fd77::ffff", Uint8Array.of(0)],
    ],
  );
});

test("addresses that others can reach", () => {
  assert.equal(reachable(["10.0.0.1", "fe80::1", "::1", "fd77::1"]), "fd77::1");
  assert.equal(reachable(["10.0.0.1", "fe80::1"]), undefined);
});
