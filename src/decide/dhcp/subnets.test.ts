import assert from "node:assert/strict";
import { test } from "node:test";
import { Fault } from "#std/fault.ts";
import { formatAddress, parseAddress, parseNetwork, parseRange } from "./range.ts";
import { modeOf, subnetsOf } from "./scope.ts";
import { readSubnets } from "./subnets.ts";

function problemOf(content: unknown): string {
  try {
    readSubnets(content);
  } catch (error) {
    assert.ok(Fault.is(error, "decide.subnets"), String(error));
    return error.message;
  }
  assert.fail("accepted");
}

test("a file with everything", () => {
  const [subnet] = readSubnets({
    subnets: [
      {
        subnet: "10.77.0.0/24",
        interface: "br0",
        mode: "server",
        pools: ["10.77.0.50-10.77.0.200"],
        exclude: ["10.77.0.60", "10.77.0.64/28"],
        routers: ["10.77.0.1"],
        dns: ["10.77.0.2", "10.77.0.3"],
        domain: "lab.example.org",
        search: ["lab.example.org", "example.org"],
        ntp: ["10.77.0.4"],
        mtu: 9000,
        leaseTime: "1h",
        boot: false,
        reservations: [{ mac: "52-54-00-00-00-0A", address: "10.77.0.10", hostname: "rack-1" }],
        options: [
          { code: 150, addresses: ["10.77.0.9"] },
          { code: 224, hex: "0aff" },
          { code: 17, text: "root" },
        ],
      },
    ],
  });
  assert.deepEqual(
    { ...subnet, network: undefined, pools: undefined, excluded: subnet!.excluded.length },
    {
      name: "10.77.0.0/24",
      network: undefined,
      interface: "br0",
      mode: "server",
      pools: undefined,
      excluded: 4,
      routers: ["10.77.0.1"],
      dnsServers: ["10.77.0.2", "10.77.0.3"],
      domainName: "lab.example.org",
      domainSearch: ["lab.example.org", "example.org"],
      ntpServers: ["10.77.0.4"],
      mtu: 9000,
      leaseTime: 3_600_000,
      mayBoot: false,
      reservations: [{ mac: "52:54:00:00:00:0a", address: "10.77.0.10", hostname: "rack-1" }],
      options: [
        { code: 150, value: Uint8Array.of(10, 77, 0, 9) },
        { code: 224, value: Uint8Array.of(10, 255) },
        { code: 17, value: new TextEncoder().encode("root") },
      ],
    },
  );
  assert.deepEqual([readSubnets(undefined), readSubnets(null), readSubnets({ subnets: [] })], [[], [], []]);
});

test("every error names its field", () => {
  const base = { subnet: "10.0.0.0/24" };
  const cases: [object | string, RegExp][] = [
    ["text", /is not an object with a list of subnets/],
    [{}, /subnets: Required value/],
    [{ subnets: [{}] }, /subnets\[0\]\.subnet: Required value/],
    [{ subnets: [{ ...base, pool: [] }] }, /subnets\[0\]\.pool: unknown field/],
    [{ subnets: [{ subnet: "10.0.0.1/24" }] }, /subnets\[0\]\.subnet: Invalid value: "10.0.0.1\/24": must be a network/],
    [{ subnets: [{ ...base, mode: "on" }] }, /subnets\[0\]\.mode: Unsupported value: "on"/],
    [{ subnets: [{ ...base, mode: "server" }] }, /subnets\[0\]\.mode: .*has nothing to give/],
    [{ subnets: [{ ...base, pools: ["10.0.0.9-10.0.0.8"] }] }, /subnets\[0\]\.pools\[0\]: .*must be addresses such as/],
    [
      { subnets: [{ ...base, pools: ["10.0.0.5", "10.0.1.1-10.0.1.9"] }] },
      /subnets\[0\]\.pools\[1\]: .*is not in 10\.0\.0\.0\/24/,
    ],
    [
      { subnets: [{ ...base, pools: ["10.0.0.5-10.0.0.9", "10.0.0.9"] }] },
      /subnets\[0\]\.pools\[1\]: .*overlaps with pools\[0\]/,
    ],
    [{ subnets: [{ ...base, routers: ["fd00::1"] }] }, /subnets\[0\]\.routers\[0\]: .*is no IPv4 address/],
    [{ subnets: [{ ...base, leaseTime: "1s" }] }, /subnets\[0\]\.leaseTime: .*duration of at least 1m/],
    [{ subnets: [{ ...base, mtu: 9 }] }, /subnets\[0\]\.mtu: .*greater than or equal to 68/],
    [{ subnets: [{ ...base, reservations: [{ address: "10.0.0.5" }] }] }, /reservations\[0\]: .*one of mac, uuid and clientId/],
    [
      { subnets: [{ ...base, reservations: [{ mac: "x", address: "10.0.0.5" }] }] },
      /reservations\[0\]\.mac: .*must be a MAC address/,
    ],
    [{ subnets: [{ ...base, reservations: [{ uuid: "0", address: "10.0.1.5" }] }] }, /reservations\[0\]\.address: .*is not in/],
    [{ subnets: [{ ...base, options: [{ code: 53, hex: "01" }] }] }, /options\[0\]\.code: .*53.*is written by the server itself/],
    [
      { subnets: [{ ...base, options: [{ code: 3, hex: "0102" }] }] },
      /options\[0\]: .*option 3 \(routers\) has 2 bytes that are not/,
    ],
    [{ subnets: [{ ...base, options: [{ code: 300, hex: "0102" }] }] }, /options\[0\]\.code: .*DHCPv4 has codes up to 254/],
    [{ subnets: [{ ...base, options: [{ code: 30 }] }] }, /options\[0\]: .*one of text, hex and addresses/],
    [{ subnets: [base, base] }, /subnets\[1\]\.subnet: .*is subnets\[0\] already/],
  ];
  for (const [content, expected] of cases) assert.match(problemOf(content), expected);
});

test("addresses, networks and ranges", () => {
  for (const text of ["0.0.0.0", "255.255.255.255", "10.1.2.3", "::", "fd00::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]) {
    assert.equal(formatAddress(parseAddress(text)!), text);
  }
  for (const text of ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/8/8", "fd00::/129", "x/8", "10.0.0.0/", "10.1.0.0/8"]) {
    assert.equal(parseNetwork(text), undefined, text);
  }
  for (const text of ["", "10.0.0.1-", "1-2", "10.0.0.1-fd00::1", "10.0.0.1-10.0.0.2-10.0.0.3"])
    assert.equal(parseRange(text), undefined, text);
  assert.deepEqual(parseRange("10.0.0.1 - 10.0.0.2"), { family: 4, first: 0x0a000001n, last: 0x0a000002n });
});

test("a request is about the subnets of its link, its relay or its address", () => {
  const all = readSubnets({
    subnets: [
      { subnet: "10.0.0.0/24", mode: "server", pools: ["10.0.0.9"] },
      { subnet: "10.0.1.0/24", mode: "off" },
      { subnet: "10.0.2.0/24", interface: "eth2", mode: "proxy" },
      { subnet: "10.0.3.0/24" },
    ],
  });
  const names = (link: string, addresses: string[], origin: Parameters<typeof subnetsOf>[2]): string[] =>
    subnetsOf(all, { name: link, addresses: addresses.map((address) => ({ address })) }, origin).map(({ name }) => name);
  assert.deepEqual(names("eth0", ["10.0.0.1", "10.0.3.1"], {}), ["10.0.0.0/24", "10.0.3.0/24"]);
  assert.deepEqual(names("eth2", [], {}), ["10.0.2.0/24"]);
  assert.deepEqual(names("eth0", ["10.0.0.1"], { relay: "10.0.3.1" }), ["10.0.3.0/24"]);
  assert.deepEqual(names("eth0", ["10.0.0.1"], { relay: "192.0.2.1" }), []);
  assert.deepEqual(names("eth0", ["10.0.0.1"], { own: "10.0.3.7" }), ["10.0.3.0/24"]);
  assert.deepEqual(names("eth0", ["10.0.0.1"], { own: "192.0.2.7" }), ["10.0.0.0/24"]);
  assert.deepEqual(names("eth0", ["10.0.0.1"], { relay: "10.0.2.1" }), []);
  const mode = (indices: number[], fallback: "proxy" | "server" | "off"): string =>
    modeOf(
      indices.map((i) => all[i]!),
      fallback,
    ).mode;
  assert.deepEqual(
    [mode([], "proxy"), mode([], "off"), mode([0, 1], "off"), mode([1], "proxy"), mode([1, 2], "off")],
    ["proxy", "off", "server", "off", "proxy"],
  );
  assert.deepEqual([mode([], "server"), mode([3], "server"), mode([3], "off")], ["proxy", "proxy", "off"]);
});
