import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { argumentOf, parseCommandLine } from "../command-line.ts";
import { carrierOf, linkCommands } from "./commands.ts";
import { networkPlan } from "./plan.ts";

const plan = (text: string) => networkPlan(parseCommandLine(text));

test("a command line is words, some with values, some in quotes", () => {
  const line = parseCommandLine('quiet console=ttyS0,115200 dyndbg="file a.c +p" sidero.mac= "two words" sidero.mac=b x=a=b\n');
  assert.deepEqual(line, [
    { name: "quiet" },
    { name: "console", value: "ttyS0,115200" },
    { name: "dyndbg", value: "file a.c +p" },
    { name: "sidero.mac", value: "" },
    { name: "two words" },
    { name: "sidero.mac", value: "b" },
    { name: "x", value: "a=b" },
  ]);
  assert.equal(argumentOf(line, "sidero.mac"), "b", "the last one wins");
  assert.equal(argumentOf(line, "quiet"), undefined);
});

test("nothing said: DHCP and router advertisements on the interface it booted from", () => {
  assert.deepEqual(plan("quiet sidero.mac=52-54-00-AA-00-01"), {
    mac: "52:54:00:aa:00:01",
    ipv4: { how: "dhcp" },
    ipv6: { how: "auto" },
    nameservers: [],
    routes: [],
    problems: [],
  });
});

test("the kernel's ip=", () => {
  const fixed = plan("ip=10.0.0.5::10.0.0.1:255.255.255.0:node7:eth1:off:10.0.0.53:1.1.1.1");
  assert.deepEqual(fixed.ipv4, { how: "static", cidr: "10.0.0.5/24", gateway: "10.0.0.1" });
  assert.deepEqual([fixed.hostname, fixed.device, fixed.nameservers], ["node7", "eth1", ["10.0.0.53", "1.1.1.1"]]);
  assert.deepEqual(plan("ip=10.0.0.5:::20::eth0:none:9000").ipv4, { how: "static", cidr: "10.0.0.5/20" });
  assert.equal(plan("ip=10.0.0.5:::20::eth0:none:9000").mtu, 9000);
  assert.equal(plan("ip=eth0:dhcp:1400").mtu, 1400);
  assert.deepEqual(plan("ip=eth0:dhcp").device, "eth0");
  assert.deepEqual(plan("ip=:::::eth0:dhcp").ipv4, { how: "dhcp" });
  assert.deepEqual(plan("ip=dhcp6").ipv6, { how: "dhcp" });
  assert.deepEqual([plan("ip=auto6").ipv4.how, plan("ip=auto6").ipv6.how], ["off", "auto"]);
  assert.deepEqual(plan("ip=off").ipv4, { how: "off" });
});

test("IPv6 in brackets, beside IPv4", () => {
  const both = plan("ip=[fd00::5]::[fd00::1]:64::eth0:off ip=dhcp nameserver=[fd00::53] rd.route=[fd01::/48]:[fd00::2]");
  assert.deepEqual(both.ipv6, { how: "static", cidr: "fd00::5/64", gateway: "fd00::1" });
  assert.deepEqual(both.ipv4, { how: "dhcp" });
  assert.deepEqual(both.nameservers, ["fd00::53"]);
  assert.deepEqual(both.routes, [{ to: "fd01::/48", via: "fd00::2" }]);
});

test("VLANs in every spelling", () => {
  for (const text of ["vlan=eth0.42:eth0", "vlan=vlan0042:eth0", "vlan=42"]) assert.equal(plan(text).vlan, 42, text);
  for (const text of ["vlan=eth0", "vlan=0", "vlan=4095"]) assert.equal(plan(text).problems.length, 1, text);
});

test("what makes no sense is named, and the rest holds", () => {
  const { problems, ipv4, mac } = plan(
    "ip=10.0.0.5::10.0.0.1:255.0.255.0::eth0:off sidero.mac=xyz nameserver=ns rd.route=10.0.0.0:10.0.0.1 ip=bogus",
  );
  assert.deepEqual(ipv4, { how: "dhcp" });
  assert.equal(mac, undefined);
  assert.deepEqual(
    problems.map((text) => text.split("=", 1)[0]),
    ["sidero.mac", "ip", "nameserver", "rd.route", "ip"],
  );
});

test("commands carry a plan out, on the VLAN where there is one", () => {
  const fixed = plan("vlan=5 ip=10.0.0.5::10.0.0.1:24:node7:eth0:off:10.0.0.53 rd.route=10.9.0.0/16:10.0.0.9");
  assert.equal(carrierOf(fixed, "eth3"), "eth3.5");
  assert.deepEqual(
    linkCommands(fixed, "eth3").map((command) => command.join(" ")),
    [
      "ip link set eth3 up",
      "modprobe 8021q",
      "ip link add link eth3 name eth3.5 type vlan id 5",
      "ip link set eth3.5 up",
      "ip -4 addr add 10.0.0.5/24 dev eth3.5",
      "ip -4 route replace default via 10.0.0.1 dev eth3.5",
      "ip -4 route replace 10.9.0.0/16 via 10.0.0.9 dev eth3.5",
      "hostname node7",
      'sh -c printf "%s\\n" "$@" >/run/resolv.conf sh nameserver 10.0.0.53',
    ],
  );
  assert.ok(linkCommands(plan(""), "eth0").some((command) => command.includes("udhcpc")));
});

test("no command line makes it throw", () => {
  const word = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc
      .array(fc.constantFrom(":", "[", "]", "10.0.0.1", "::1", "dhcp", "24", "/", "eth0", "."), { maxLength: 16 })
      .map((parts) => parts.join("")),
  );
  const argument = fc
    .tuple(fc.constantFrom("ip", "vlan", "nameserver", "rd.route", "sidero.mac"), word)
    .map(([name, value]) => `${name}=${value}`);
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 6 }), (words) => {
      for (const command of linkCommands(plan(words.join(" ")), "eth0"))
        assert.ok(command.every((part) => typeof part === "string"));
    }),
  );
});
