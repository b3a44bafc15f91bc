import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { VirtualClock } from "#io/memory/clock.ts";
import { createMemoryMachine } from "#io/memory/machine.ts";
import { createAliasTable, isMatch, loadDrivers } from "./drivers.ts";

const TABLE = `alias pci:v00008086d000010D3sv*sd*bc*sc*i* e1000e
alias pci:v*d*sv*sd*bc01sc08i02* nvme
alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci
alias virtio:d00000001v* virtio_net
alias usb:v*p*d*dc*dsc*dp*ic08isc06ip50in* usb_storage
alias acpi*:LNRO0005:* virtio_mmio
alias fs-squashfs squashfs
nonsense
`;

test("devices find their modules", () => {
  const modulesOf = createAliasTable(TABLE);
  assert.deepEqual(modulesOf("pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00"), ["e1000e"]);
  assert.deepEqual(modulesOf("pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02"), ["nvme"]);
  assert.deepEqual(modulesOf("virtio:d00000001v00001AF4"), ["virtio_net"]);
  assert.deepEqual(modulesOf("usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00"), ["usb_storage"]);
  assert.deepEqual(modulesOf("pci:v0000FFFFd0000FFFFsv00000000sd00000000bc06sc00i00"), []);
  assert.deepEqual(modulesOf(""), []);
});

test("patterns match as fnmatch does", () => {
  const cases: [string, string, boolean][] = [
    ["abc", "a*c", true],
    ["abc", "a?c", true],
    ["abc", "*b*", true],
    ["abc", "a[a-c]c", true],
    ["abc", "a[x]c", false],
    ["usb:v05ACp1290d0000", "usb:v05ACp129[0-9A-F]d*", true],
    ["abcabd", "*abd", true],
    ["", "*", true],
    ["", "", true],
    ["a", "", false],
    ["a[", "a[", true],
  ];
  for (const [text, pattern, expected] of cases) assert.equal(isMatch(text, pattern), expected, `${text} ~ ${pattern}`);
});

test("patterns agree with regular expressions, and take no time to speak of", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 12 });
  const patterns = fc.array(fc.constantFrom("a", "b", "*", "?", "[ab]", "[a-c]"), { maxLength: 8 });
  fc.assert(
    fc.property(letters, patterns, (text, parts) => {
      const expressions: Readonly<Record<string, string>> = { "*": ".*", "?": "." };
      const expression = new RegExp(`^${parts.map((part) => expressions[part] ?? part).join("")}$`);
      assert.equal(isMatch(text, parts.join("")), expression.test(text));
    }),
  );
  const started = performance.now();
  assert.equal(isMatch("a".repeat(2000), `${"*a".repeat(500)}b`), false);
  assert.ok(performance.now() - started < 1000);
});

test("interfaces get their drivers first, and what turns up later is not forgotten", async () => {
  const machine = createMemoryMachine({
    "/proc/sys/kernel/osrelease": "6.1.0\n",
    "/lib/modules/6.1.0/modules.alias": TABLE,
  });
  const present = [
    "pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02",
    "pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00",
  ];
  machine.answer = (program, args) => {
    // virtio's interface is found by the driver of its bus.
    if (program === "modprobe" && args.includes("virtio_pci")) present.push("virtio:d00000001v00001AF4");
    return { status: 0, output: program === "sh" ? present.join("\n") : "" };
  };
  const clock = new VirtualClock();
  const { settled, rest } = loadDrivers(machine, clock);
  await settled;
  const modprobes = (): string[] =>
    machine.ran.filter((line) => line.startsWith("modprobe")).map((line) => line.split(" ").slice(4).join(" "));
  assert.deepEqual(modprobes(), ["virtio_pci", "virtio_net", "nvme", "sd_mod ipmi_devintf ipmi_si"]);
  await clock.advance(30_000);
  present.push("usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00");
  await clock.advance(2_000);
  assert.equal(modprobes().at(-1), "usb_storage");
  await clock.advance(70_000);
  await rest;
  assert.equal(clock.pending, 0);
});
