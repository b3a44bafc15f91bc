import assert from "node:assert/strict";
import { test } from "node:test";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { bmcWay, formatBmcAddress } from "./bmc-address.ts";
import type { BmcAddress } from "./bmc-address.ts";

type Bmc = NonNullable<NonNullable<Server["spec"]>["bmc"]>;

const LOGIN = { user: "admin", pass: "correct horse" };
const IPMI = { protocol: "ipmi", port: 623, interface: "lanplus", privilege: "administrator" } as const;
const REDFISH = { protocol: "redfish", boot: "pxe" } as const;

const GOOD: readonly [Partial<Bmc> & { endpoint: string }, BmcAddress, string?][] = [
  [{ endpoint: "192.0.2.1" }, { ...IPMI, host: "192.0.2.1" }, "ipmi://192.0.2.1"],
  [
    { endpoint: "192.0.2.1", port: 0 },
    { ...IPMI, host: "192.0.2.1" },
  ],
  [{ endpoint: "BMC-7.Example.org" }, { ...IPMI, host: "bmc-7.example.org" }],
  [{ endpoint: "192.0.2.1", port: 6230 }, { ...IPMI, host: "192.0.2.1", port: 6230 }, "ipmi://192.0.2.1:6230"],
  [{ endpoint: "192.0.2.1:6230" }, { ...IPMI, host: "192.0.2.1", port: 6230 }],
  [
    { endpoint: "192.0.2.1:6230", port: 6230 },
    { ...IPMI, host: "192.0.2.1", port: 6230 },
  ],
  [{ endpoint: "2001:DB8:0::1" }, { ...IPMI, host: "2001:db8::1" }, "ipmi://[2001:db8::1]"],
  [{ endpoint: "[2001:db8::1]:624" }, { ...IPMI, host: "2001:db8::1", port: 624 }, "ipmi://[2001:db8::1]:624"],
  [
    { endpoint: "192.0.2.1", interface: "lan" },
    { ...IPMI, host: "192.0.2.1", interface: "lan" },
  ],
  [
    { endpoint: "192.0.2.1", interface: "lanplus", cipherSuite: 3 },
    { ...IPMI, host: "192.0.2.1", cipherSuite: 3 },
  ],
  [
    { endpoint: "192.0.2.1", cipherSuite: 0 },
    { ...IPMI, host: "192.0.2.1", cipherSuite: 0 },
  ],
  [{ endpoint: "ipmi://192.0.2.1" }, { ...IPMI, host: "192.0.2.1" }],
  [{ endpoint: "IPMI://192.0.2.1:624/" }, { ...IPMI, host: "192.0.2.1", port: 624 }],
  [
    { endpoint: "ipmi://192.0.2.1", port: 624 },
    { ...IPMI, host: "192.0.2.1", port: 624 },
  ],
  [{ endpoint: "libvirt://192.168.122.1:6230" }, { ...IPMI, host: "192.168.122.1", port: 6230 }],
  [{ endpoint: "ipmi://b?privilegelevel=OPERATOR" }, { ...IPMI, host: "b", privilege: "operator" }],
  [{ endpoint: "redfish://192.0.2.1" }, { ...REDFISH, origin: "https://192.0.2.1" }, "redfish://192.0.2.1"],
  // The port is IPMI's: an agent writes 623 there.
  [
    { endpoint: "redfish://192.0.2.1", port: 623 },
    { ...REDFISH, origin: "https://192.0.2.1" },
  ],
  [{ endpoint: "redfish://192.0.2.1/redfish/v1/" }, { ...REDFISH, origin: "https://192.0.2.1" }],
  [{ endpoint: "redfish+https://192.0.2.1:443" }, { ...REDFISH, origin: "https://192.0.2.1" }],
  [
    { endpoint: "redfish+http://[2001:db8::1]:8000/redfish/v1/Systems/437XR1138R2" },
    { ...REDFISH, origin: "http://[2001:db8::1]:8000", system: "/redfish/v1/Systems/437XR1138R2" },
    "redfish+http://[2001:db8::1]:8000/redfish/v1/Systems/437XR1138R2",
  ],
  [
    { endpoint: "idrac-redfish://h/redfish/v1/Systems/System.Embedded.1" },
    { ...REDFISH, origin: "https://h", vendor: "dell", system: "/redfish/v1/Systems/System.Embedded.1" },
  ],
  [{ endpoint: "idrac-virtualmedia+http://h" }, { ...REDFISH, origin: "http://h", vendor: "dell", boot: "cd" }],
  [{ endpoint: "redfish-virtualmedia://h" }, { ...REDFISH, origin: "https://h", boot: "cd" }],
  [{ endpoint: "redfish-uefihttp://h:8443" }, { ...REDFISH, origin: "https://h:8443", boot: "http" }],
  [{ endpoint: "ilo5-redfish://h" }, { ...REDFISH, origin: "https://h", vendor: "hpe" }],
  [{ endpoint: "ilo5-virtualmedia://h" }, { ...REDFISH, origin: "https://h", vendor: "hpe", boot: "cd" }],
  [
    { endpoint: "redfish://h", fingerprint: "AB:".repeat(31) + "CD" },
    { ...REDFISH, origin: "https://h", fingerprint: "ab".repeat(31) + "cd" },
  ],
];

test("addresses that work", () => {
  for (const [bmc, address, text] of GOOD) {
    const way = bmcWay({ bmc: { ...LOGIN, ...bmc } });
    assert.deepEqual(way.way === "bmc" ? way.address : way, address, bmc.endpoint);
    if (text !== undefined) assert.equal(formatBmcAddress(address), text);
  }
});

/** What the problem has to mention. */
const BAD: readonly [Partial<Bmc> & { endpoint: string }, RegExp][] = [
  [{ endpoint: "" }, /not known yet/],
  [{ endpoint: "192.0.2.256" }, /"192\.0\.2\.256" is no IPv4 address/],
  [{ endpoint: "-bmc" }, /"-bmc" is no host name/],
  [{ endpoint: "host:port" }, /"port" is no port/],
  [{ endpoint: "host:0" }, /"0" is no port/],
  [{ endpoint: "host:65536" }, /65536/],
  [{ endpoint: "2001:db8::g" }, /IPv6 addresses go in brackets/],
  [{ endpoint: "[2001:db8::g]" }, /no IPv6 address/],
  [{ endpoint: "192.0.2.1:624", port: 623 }, /port 624, spec\.bmc\.port says 623/],
  [{ endpoint: "192.0.2.1", interface: "open" }, /machine Sidero runs on/],
  [{ endpoint: "192.0.2.1", interface: "imb" }, /"imb": it must be lanplus .* or lan/],
  [{ endpoint: "192.0.2.1", cipherSuite: 1 }, /3 or 17/],
  [{ endpoint: "://192.0.2.1" }, /the scheme "" is not known/],
  [{ endpoint: "snmp://192.0.2.1" }, /"snmp" is not known; there are ipmi, /],
  [{ endpoint: "toString://192.0.2.1" }, /"tostring" is not known/],
  [{ endpoint: "https://192.0.2.1" }, /redfish\+https:\/\//],
  [{ endpoint: "ipmi+http://192.0.2.1" }, /does not go over HTTP/],
  [{ endpoint: "idrac://192.0.2.1" }, /idrac-redfish:\/\//],
  [{ endpoint: "ibmc://192.0.2.1" }, /no longer supported; write redfish:\/\//],
  [{ endpoint: "irmc://192.0.2.1" }, /no longer supported; write redfish:\/\/ or ipmi/],
  [{ endpoint: "ilo4://192.0.2.1" }, /no longer supported; write ipmi:\/\//],
  [{ endpoint: "ilo4-virtualmedia://192.0.2.1" }, /no longer supported; write ipmi:\/\//],
  [{ endpoint: "ilo5://192.0.2.1" }, /no longer supported; write redfish:\/\//],
  [{ endpoint: "redfish:///redfish/v1/Systems/1" }, /no host/],
  [{ endpoint: "redfish://h/Systems/1" }, /path \/Systems\/1 must be that of a system/],
  [{ endpoint: "redfish://h/redfish/v1/Sys tems/1" }, /space/],
  [{ endpoint: "redfish://h/redfish/v1/Systems/1#x" }, /fragment/],
  [{ endpoint: "redfish://h?privilegelevel=USER" }, /privilegelevel= means nothing/],
  [{ endpoint: "ipmi://h/1" }, /no path/],
  [{ endpoint: "ipmi://h?privilegelevel=CALLBACK" }, /CALLBACK: it must be/],
  [{ endpoint: "ipmi://h?level=USER" }, /\?level= is not known/],
  [{ endpoint: "redfish://h", fingerprint: "abc" }, /SHA-256/],
];

test("addresses that cannot work name the part that is wrong", () => {
  for (const [bmc, problem] of BAD) {
    const way = bmcWay({ bmc: { ...LOGIN, ...bmc } });
    assert.equal(way.way, "unusable", bmc.endpoint);
    assert.match(way.way === "unusable" ? way.problem : "", problem);
  }
});

test("a password in an address is refused, and not shown", () => {
  for (const endpoint of ["ipmi://admin:hunter2@192.0.2.1", "admin:hunter2@192.0.2.1"]) {
    const way = bmcWay({ bmc: { ...LOGIN, endpoint } });
    assert.ok(way.way === "unusable" && /userFrom/.test(way.problem) && !/hunter2/.test(way.problem));
  }
});

test("without user or password a BMC is unusable, not pretended", () => {
  const problem = (bmc: Partial<Bmc>): string => {
    const way = bmcWay({ bmc: { endpoint: "192.0.2.1", ...bmc } });
    return way.way === "unusable" ? way.problem : "";
  };
  assert.match(problem({}), /no user name: set spec\.bmc\.user or spec\.bmc\.userFrom/);
  assert.match(problem({ user: "a", pass: "" }), /no password: set spec\.bmc\.pass or spec\.bmc\.passFrom/);
  assert.match(problem({ user: "a", passFrom: {} }), /no password/);
});

test("credentials are literals or keys of Secrets", () => {
  const secretKeyRef = { namespace: "default", name: "bmc", key: "pass" };
  const way = bmcWay({ bmc: { endpoint: "192.0.2.1", user: "root", passFrom: { secretKeyRef } } });
  assert.deepEqual(way.way === "bmc" && way.credentials, { user: { literal: "root" }, password: { secret: secretKeyRef } });
});

test("the power API of virtual machines comes after a BMC", () => {
  const managementApi = { endpoint: "172.20.0.1:34791" };
  const http = (endpoint: string): unknown => bmcWay({ managementApi: { endpoint } });
  assert.deepEqual(http("172.20.0.1:34791"), { way: "bmc", address: { protocol: "http", url: "http://172.20.0.1:34791" } });
  assert.deepEqual(http("https://Vm.example/m1/"), { way: "bmc", address: { protocol: "http", url: "https://vm.example/m1" } });
  assert.match((http("http://") as { problem: string }).problem, /spec\.managementApi\.endpoint: it has no host/);
  assert.match((http("http://h?x") as { problem: string }).problem, /spec\.managementApi\.endpoint/);
  const way = bmcWay({ bmc: { endpoint: "192.0.2.1", ...LOGIN }, managementApi });
  assert.equal(way.way === "bmc" && way.address.protocol, "ipmi");
  assert.deepEqual(bmcWay({}), { way: "none" });
  assert.deepEqual(bmcWay(undefined), { way: "none" });
});
