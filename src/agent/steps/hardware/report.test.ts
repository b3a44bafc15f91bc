/** What is made of captured machines; trees of servers are put together from public descriptions of such machines. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { HardwareInformationSchema, StorageType } from "#proto/api_pb.js";
import type { HardwareInformation } from "#proto/api_pb.js";
import { fromLatin1 } from "#std/bytes.ts";
import qemu from "../../../../test/vectors/hardware/qemu.json" with { type: "json" };
import tables from "../../../../test/vectors/smbios/tables.json" with { type: "json" };
import { createPciNames } from "./pci-names.ts";
import { hardwareReport, identityOf } from "./report.ts";
import type { Tree } from "./tree.ts";

interface Capture {
  readonly files: Readonly<Record<string, string>>;
  readonly links: Readonly<Record<string, string>>;
}

const PCI_IDS = `# comment
10de  NVIDIA Corporation
\t20b5  GA100 [A100 PCIe 80GB]
\t\t10de 1533  NVIDIA A100
15b3  Mellanox Technologies
\t1017  MT27800 Family [ConnectX-5]
1af4  Red Hat, Inc.
\t1000  Virtio network device
8086  Intel Corporation
\t10d3  82574L Gigabit Network Connection
C 01  Mass storage controller
\t08  Non-Volatile memory controller
\t\t02  NVM Express
C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
`;

function treeOf({ files, links }: Capture): Tree {
  return {
    files: new Map(Object.entries(files).map(([path, text]) => [path, fromLatin1(text) ?? new TextEncoder().encode(text)])),
    links: new Map(Object.entries(links)),
  };
}

function report(capture: Capture, cidrs: Readonly<Record<string, string>> = {}): HardwareInformation {
  const addresses = Object.entries(cidrs).map(([name, cidr]) => ({ interface: name, cidr, internal: false }));
  const names = createPciNames(PCI_IDS);
  return hardwareReport({ tree: treeOf(capture), addresses, names, neighbours: new Map(), agentVersion: "1.0" });
}

test("QEMU's disks are those it was started with", () => {
  const { storage } = report(qemu);
  const disks = storage!.devices.map(({ name, serial, size, byPath, transport, type }) => [
    name,
    serial,
    Number(size / 2n ** 30n),
    transport,
    byPath,
    StorageType[type],
  ]);
  assert.deepEqual(disks, [
    ["nvme0n1", "NVME2", 3, "nvme", "pci-0000:00:03.0-nvme-1", "NVMe"],
    ["sda", "RAID5", 6, "scsi", "pci-0000:00:06.0-scsi-0:2:0:0", "HDD"],
    ["sdb", "SATA1", 2, "sata", "pci-0000:00:1f.2-ata-1", "HDD"],
    ["sdc", "SCSI4", 5, "virtio", "pci-0000:00:05.0-scsi-0:0:2:1", "SSD"],
    ["sdd", "", 4, "usb", "pci-0000:00:04.0-usb-0:1:1.0-scsi-0:0:0:0", "HDD"],
    ["vda", "VIRT0", 1, "virtio", "pci-0000:00:02.0", "HDD"],
  ]);
  assert.equal(storage!.deviceCount, 6);
  assert.equal(storage!.totalSize, 21n * 2n ** 30n);
  assert.equal(storage!.devices.find(({ name }) => name === "sdb")!.wwid, "naa.5000c500a1b2c3d4");
  assert.equal(storage!.devices.find(({ name }) => name === "sdd")!.removable, true);
});

test("QEMU's interfaces, firmware, processors and memory", () => {
  const hardware = report(qemu, { eth0: "10.0.2.15/24", eth9: "10.9.9.9/24" });
  const [first, second] = hardware.network!.interfaces;
  assert.equal(hardware.network!.interfaceCount, 2, "loopback is no hardware");
  assert.deepEqual(
    [first!.name, first!.mac, first!.driver, first!.speed, first!.model, first!.permanentMac, first!.link],
    [
      "eth0",
      "52:54:00:aa:00:02",
      "e1000e",
      1000,
      "Intel Corporation 82574L Gigabit Network Connection",
      "52:54:00:aa:00:02",
      true,
    ],
  );
  assert.deepEqual(first!.addresses, ["10.0.2.15/24"]);
  assert.equal(first!.flags, "up|broadcast|multicast");
  assert.deepEqual(
    [second!.driver, second!.pciAddress, second!.speed, second!.model],
    ["virtio_net", "0000:00:01.0", 0, "Red Hat, Inc. Virtio network device"],
    "the PCI device above virtio's own",
  );
  assert.equal(hardware.system!.uuid, "4c4c4544-0000-2010-8020-80c04f202020");
  assert.equal(hardware.system!.version, "pc-q35-7.2", "upstream never filled it");
  assert.equal(hardware.firmware!.bootMode, "bios");
  assert.equal(hardware.compute!.totalCoreCount, 2);
  assert.deepEqual([hardware.memory!.totalSize, hardware.memory!.modules[0]!.productName], [768, "MTA18"]);
  assert.equal(hardware.chassis!.assetTag, "A1");
  assert.deepEqual(hardware.gpus, [], "QEMU's screen is no graphics processor");
  assert.deepEqual(hardware.tpm, { ...hardware.tpm, present: false });
  assert.deepEqual(hardware.smbiosFlaws, []);
  const { uuid, macs, bootMode } = identityOf(treeOf(qemu));
  assert.deepEqual([uuid, macs, bootMode], [hardware.system!.uuid, ["52:54:00:aa:00:02", "52:54:00:aa:00:01"], "bios"]);
});

/** A server with two bonded ConnectX-5, an A100, SAS disks behind an expander and a port multiplier, UEFI with Secure Boot, TPM 2.0. */
const NET = "/sys/devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0";
const SAS = "/sys/devices/pci0000:17/0000:17:00.0/0000:18:00.0/host0/port-0:0/expander-0:0/port-0:0:4/end_device-0:0:4";
const SERVER: Capture = {
  files: {
    "/sys/firmware/efi/fw_platform_size": "64\n",
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": "\x06\0\0\0\x01",
    "/sys/class/tpm/tpm0/tpm_version_major": "2\n",
    "/sys/class/net/eth0/type": "1\n",
    "/sys/class/net/eth0/address": "b8:59:9f:00:00:01\n",
    "/sys/class/net/eth0/bonding_slave/perm_hwaddr": "b8:59:9f:00:00:02\n",
    "/sys/class/net/eth0/speed": "25000\n",
    "/sys/class/net/eth0/carrier": "1\n",
    "/sys/class/net/eth0/ifindex": "2\n",
    "/sys/class/net/eth1/type": "1\n",
    "/sys/class/net/eth1/address": "b8:59:9f:00:00:03\n",
    "/sys/class/net/eth1/speed": "-1\n",
    "/sys/class/net/eth1/ifindex": "3\n",
    "/sys/class/net/bond0/type": "1\n",
    "/sys/class/net/bond0/address": "b8:59:9f:00:00:01\n",
    "/sys/bus/pci/devices/0000:3b:00.0/vendor": "0x15b3\n",
    "/sys/bus/pci/devices/0000:3b:00.0/device": "0x1017\n",
    "/sys/bus/pci/devices/0000:3b:00.0/class": "0x020000\n",
    "/sys/bus/pci/devices/0000:86:00.0/vendor": "0x10de\n",
    "/sys/bus/pci/devices/0000:86:00.0/device": "0x20b5\n",
    "/sys/bus/pci/devices/0000:86:00.0/class": "0x030200\n",
    "/sys/bus/pci/devices/0000:03:00.0/vendor": "0x1a03\n",
    "/sys/bus/pci/devices/0000:03:00.0/device": "0x2000\n",
    "/sys/bus/pci/devices/0000:03:00.0/class": "0x030000\n",
    "/sys/block/sda/size": "7814037168\n",
    "/sys/block/sda/queue/rotational": "1\n",
    "/sys/block/sda/device/type": "0\n",
    "/sys/block/sda/device/model": "ST4000NM0023    \n",
    "/sys/block/sda/device/vpd_pg80": "\0\x80\0\x08Z1Z0ABCD",
    "/sys/block/sdb/size": "1000\n",
    "/sys/block/sdb/device/type": "13\n",
    "/sys/block/sdc/size": "0\n",
    "/sys/block/sdd/size": "937703088\n",
    "/sys/block/mmcblk0/size": "62333952\n",
    "/sys/block/mmcblk0boot0/size": "8192\n",
    "/sys/block/nvme0c0n1/size": "8192\n",
    "/sys/block/dm-0/size": "8192\n",
    "/sys/block/md127/size": "8192\n",
    "/sys/block/zram0/size": "8192\n",
    "/proc/cpuinfo": [0, 1, 2, 3]
      .map(
        (n) =>
          `processor\t: ${n}\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\ncpu MHz\t: 2100.5\nphysical id\t: ${n >> 1}\ncore id\t: 0\n`,
      )
      .join("\n"),
    "/proc/meminfo": "MemTotal:       263856432 kB\n",
  },
  links: {
    "/sys/class/net/eth0/device": NET,
    "/sys/class/net/eth0/device/driver": "/sys/bus/pci/drivers/mlx5_core",
    "/sys/class/net/eth1/device": "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0",
    "/sys/block/sda": `${SAS}/target0:0:4/0:0:4:0/block/sda`,
    "/sys/block/sdd": "/sys/devices/pci0000:00/0000:00:17.0/ata5/host6/target6:2:0/6:0:2:0/block/sdd",
  },
};

test("a server's parts", () => {
  const hardware = report(SERVER);
  const interfaces = hardware.network!.interfaces.map(({ name, speed, permanentMac, model, driver, link }) => [
    name,
    speed,
    permanentMac,
    model,
    driver,
    link,
  ]);
  assert.deepEqual(interfaces, [
    ["eth0", 25_000, "b8:59:9f:00:00:02", "Mellanox Technologies MT27800 Family [ConnectX-5]", "mlx5_core", true],
    ["eth1", 0, "", "", "", undefined],
  ]);
  assert.deepEqual(
    hardware.gpus.map(({ vendorName, productName }) => `${vendorName} ${productName}`),
    ["NVIDIA Corporation GA100 [A100 PCIe 80GB]"],
  );
  const disks = hardware.storage!.devices.map(({ name, serial, byPath, transport }) => [name, serial, transport, byPath]);
  assert.deepEqual(disks, [
    ["mmcblk0", "", "mmc", ""],
    ["sda", "Z1Z0ABCD", "sas", "pci-0000:18:00.0-sas-phy4-lun-0"],
    ["sdd", "", "sata", "pci-0000:00:17.0-ata-5.2"],
  ]);
  assert.deepEqual([hardware.firmware!.bootMode, hardware.firmware!.secureBoot, hardware.tpm!.version], ["uefi", true, "2.0"]);
});

test("without SMBIOS the kernel counts, and the report says so", () => {
  const { compute, memory, smbiosFlaws, system } = report(SERVER);
  assert.deepEqual([compute!.processorCount, compute!.totalCoreCount, compute!.totalThreadCount], [2, 2, 4]);
  assert.deepEqual([compute!.processors[0]!.productName, compute!.processors[0]!.speed], ["Xeon", 2101]);
  assert.equal(memory!.totalSize, Math.floor(263_856_432 / 1024));
  assert.deepEqual(smbiosFlaws, ["no SMBIOS tables"]);
  assert.equal(system, undefined);
  const arm = {
    "/proc/sys/kernel/arch": "aarch64\n",
    "/proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 50\n\nprocessor\t: 1\nBogoMIPS\t: 50\n",
  };
  const board = report({ files: arm, links: {} });
  assert.deepEqual([board.architecture, board.compute!.totalCoreCount], ["arm64", 2]);
});

test("tables of other machines: counts over 255, sizes in KiB, placeholders", () => {
  for (const { entryPoint, table } of tables) {
    const bytes = (hex: string): string => Buffer.from(hex, "hex").toString("latin1");
    const files = {
      "/sys/firmware/dmi/tables/smbios_entry_point": bytes(entryPoint),
      "/sys/firmware/dmi/tables/DMI": bytes(table),
    };
    const { memory } = report({ files, links: {} });
    assert.equal(memory!.totalSize >= memory!.modules.reduce((sum, { size }) => sum + size, 0), true);
  }
});

test("no content makes it throw, and what comes out can be sent", () => {
  const paths = [...Object.keys(qemu.files), ...Object.keys(SERVER.files)];
  const links = [...Object.keys(qemu.links), ...Object.keys(SERVER.links)];
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.string({ unit: "binary", maxLength: 20 }).map((text) => new TextEncoder().encode(text)),
    fc.constantFrom("-1", "18446744073709551615", "0x", "1e9", "\n", "4294967295").map((text) => new TextEncoder().encode(text)),
  );
  const damage = fc.record({
    files: fc.array(fc.tuple(fc.constantFrom(...paths), content), { maxLength: 40 }),
    links: fc.array(fc.tuple(fc.constantFrom(...links), fc.string({ maxLength: 30 })), { maxLength: 10 }),
  });
  fc.assert(
    fc.property(damage, ({ files, links: moved }) => {
      const whole = treeOf({ files: { ...qemu.files, ...SERVER.files }, links: { ...qemu.links, ...SERVER.links } });
      const tree = { files: new Map([...whole.files, ...files]), links: new Map([...whole.links, ...moved]) };
      const names = createPciNames(PCI_IDS);
      const hardware = hardwareReport({ tree, addresses: [], names, neighbours: new Map(), agentVersion: "1.0" });
      assert.ok(toBinary(HardwareInformationSchema, hardware).length < 65_536);
    }),
    { numRuns: 200 },
  );
});

test("names of PCI: the whole list is read the same way", () => {
  const names = createPciNames(PCI_IDS);
  assert.equal(names.vendorName(0x10de), "NVIDIA Corporation");
  assert.equal(names.deviceName(0x10de, 0x20b5), "GA100 [A100 PCIe 80GB]");
  assert.equal(names.deviceName(0x10de, 0x10de), "", "a subsystem is no device");
  assert.equal(names.deviceName(0x15b3, 0x20b5), "", "nor is another vendor's");
  assert.equal(names.className(0x010802), "Non-Volatile memory controller");
  assert.equal(names.className(0x03ff00), "Display controller");
  assert.equal(names.className(0xff0000), "");
  assert.equal(createPciNames("").vendorName(0x10de), "");
});
