import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BlockDevice, DiskPolicy } from "./disks.ts";
import { chooseDisks, recordedDevices } from "./disks.ts";

const disk = (name: string, more: Partial<BlockDevice> = {}): BlockDevice => ({ name, bytes: 1e9, ...more });
const verdicts = (devices: readonly BlockDevice[], policy: DiskPolicy = {}): string[] =>
  chooseDisks(devices, policy).map(({ device, skipped }) => `${device.name}: ${skipped ?? "wiped"}`);

test("all fixed disks, and nothing else", () => {
  const devices = [
    disk("sda", { transport: "sata", removable: false }),
    disk("nvme0n1", { transport: "nvme" }),
    disk("vda", { transport: "virtio" }),
    disk("sdb", { transport: "usb" }),
    disk("sdc", { readOnly: true }),
    disk("sdd", { removable: true }),
    disk("sde", { bytes: 0 }),
    ...["loop0", "md127", "dm-0", "ram1", "zram0", "nbd3", "sr0", "bcache0"].map((name) => disk(name)),
  ];
  assert.deepEqual(verdicts(devices), [
    "sda: wiped",
    "nvme0n1: wiped",
    "vda: wiped",
    "sdb: it hangs on USB",
    "sdc: it is read-only",
    "sdd: its medium can be taken out",
    "sde: it has no medium",
    ...["loop0", "md127", "dm-0", "ram1", "zram0", "nbd3", "sr0", "bcache0"].map((name) => `${name}: it is no disk`),
  ]);
});

test("a disk on a storage network, which may be another machine's too, is wiped only when it is named", () => {
  for (const transport of ["fc", "iscsi", "nvmf"]) {
    const devices = [disk("sda", { transport: "sas", serial: "A" }), disk("sdb", { transport, serial: "LUN1", wwid: "naa.6" })];
    assert.match(verdicts(devices)[1]!, /^sdb: it is on a storage network/, transport);
    assert.equal(verdicts(devices)[0], "sda: wiped");
    assert.deepEqual(verdicts(devices, { only: [{ serial: "LUN1" }] }), ["sda: spec.wipe.only does not have it", "sdb: wiped"]);
  }
});

test("what a BMC shows as a drive is none; what a hypervisor or a RAID controller calls virtual is one", () => {
  for (const model of [
    "Virtual Floppy",
    "AMI Virtual HDisk0",
    "Virtual CD",
    "iDRAC Virtual Floppy",
    "Virtual Media",
    "LCDRIVE",
    "Virtual HDISK0",
  ]) {
    assert.deepEqual(verdicts([disk("sda", { model })]), ["sda: it is virtual media"], model);
  }
  for (const model of ["Virtual disk", "Virtual Disk", "VIRTUAL-DISK", "PERC H730P Mini", "LOGICAL VOLUME", "VirtualDisk"]) {
    assert.deepEqual(verdicts([disk("sda", { model })]), ["sda: wiped"], model);
  }
});

test("only and keep: all fields of one entry, a star in the model", () => {
  const devices = [
    disk("sda", { model: "ST4000NM0033", serial: "A", type: "HDD" }),
    disk("sdb", { model: "SAMSUNG MZ7LH480", serial: "B", type: "SSD", wwid: "naa.1" }),
    disk("nvme0n1", { model: "SAMSUNG MZQL2", serial: "C", type: "NVMe" }),
  ];
  const wiped = (policy: DiskPolicy): string[] =>
    chooseDisks(devices, policy).flatMap(({ device, skipped }) => (skipped === undefined ? [device.name] : []));
  assert.deepEqual(wiped({ only: [{ type: "ssd" }] }), ["sdb"]);
  assert.deepEqual(wiped({ only: [{ model: "samsung*" }] }), ["sdb", "nvme0n1"]);
  assert.deepEqual(wiped({ only: [{ model: "*MZ*480" }, { serial: "A" }] }), ["sda", "sdb"]);
  assert.deepEqual(wiped({ only: [{ model: "samsung*", type: "HDD" }] }), []);
  assert.deepEqual(wiped({ keep: [{ wwid: "naa.1" }] }), ["sda", "nvme0n1"]);
  assert.deepEqual(wiped({ only: [{ model: "*" }], keep: [{ name: "/dev/sda" }] }), ["sdb", "nvme0n1"]);
  assert.deepEqual(wiped({ only: [{}] }), [], "an empty entry asks for no disk");
  assert.deepEqual(wiped({ keep: [{}] }), [], "an empty entry keeps every disk");
  assert.deepEqual(wiped({ only: [{ model: "samsung*samsung" }] }), [], "the same letters do not count twice");
});

test("a disk with two paths is wiped once, and kept by either of its names; equal world-wide names alone make no one disk", () => {
  const unit = { wwid: "naa.5000c500a1b2c3d4", serial: "S1", model: "X" };
  const devices = [disk("sda", unit), disk("sdb", unit)];
  assert.deepEqual(verdicts(devices), ["sda: wiped", "sdb: another path to sda"]);
  assert.deepEqual(verdicts(devices, { keep: [{ name: "sdb" }] }), ["sda: spec.wipe.keep has it", "sdb: spec.wipe.keep has it"]);
  assert.deepEqual(verdicts(devices, { only: [{ name: "sdb" }] }), ["sda: wiped", "sdb: another path to sda"]);
  assert.deepEqual(verdicts([disk("sda", unit), disk("sdb", { ...unit, serial: "S2" })]), ["sda: wiped", "sdb: wiped"]);
});

test("what is on record is read the same way, also what upstream's agent left", () => {
  const devices = recordedDevices({
    devices: [
      { name: "sda", size: 10, productName: "X", serialNumber: "1", transport: "sata" },
      { deviceName: "/dev/vdb", size: 20 },
      { name: "sdc", size: 5, transport: "usb" },
    ],
  });
  assert.deepEqual(verdicts(devices), ["sda: wiped", "vdb: wiped", "sdc: it hangs on USB"]);
  assert.deepEqual(recordedDevices(undefined), []);
});

test("whatever is asked, USB, read-only and kept disks are never written to", () => {
  const text = fc.constantFrom("sda", "sdb", "A", "B", "*", "S*", "SSD", "");
  const selector = fc.record({ name: text, serial: text, model: text, type: text });
  const device = fc.record({
    name: fc.constantFrom("sda", "sdb", "sdc"),
    serial: fc.constantFrom("A", "B", ""),
    wwid: fc.constantFrom("naa.1", ""),
    model: fc.constantFrom("SX", "B"),
    bytes: fc.constantFrom(0, 5),
    transport: fc.constantFrom("usb", "sata"),
    readOnly: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(device), fc.array(selector), fc.array(selector), (devices, only, keep) => {
      for (const { device: each, skipped } of chooseDisks(devices, { only, keep })) {
        const isKept =
          keep.some(({ name }) => name === each.name) &&
          keep.some((k) => k.name === each.name && k.serial === "" && k.model === "" && k.type === "");
        if (each.transport === "usb" || each.readOnly || each.bytes === 0 || isKept) assert.ok(skipped);
      }
    }),
  );
});
