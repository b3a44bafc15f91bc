/** How a disk is attached, by where its device is. The paths are as the kernel's transport classes make them (scsi_transport_fc, -_iscsi, -_sas, nvme-fabrics). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { transportOf } from "./disk-path.ts";

const PCI = "/sys/devices/pci0000:00/0000:00:1f.2";

test("how a disk is attached: storage networks are told from what is in the machine", () => {
  const paths: readonly (readonly [device: string, name: string, transport: string])[] = [
    [`${PCI}/ata1/host0/target0:0:0/0:0:0:0/block/sda`, "sda", "sata"],
    [`${PCI}/host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sda`, "sda", "sas"],
    [`${PCI}/host7/rport-7:0-2/target7:0:0/7:0:0:1/block/sdb`, "sdb", "fc"],
    ["/sys/devices/platform/host3/session1/target3:0:0/3:0:0:0/block/sdc", "sdc", "iscsi"],
    [`${PCI}/host4/session12/target4:0:0/4:0:0:0/block/sdd`, "sdd", "iscsi"],
    ["/sys/devices/virtual/nvme-fabrics/ctl/nvme1/nvme1n1", "nvme1n1", "nvmf"],
    [`${PCI}/nvme/nvme0/nvme0n1`, "nvme0n1", "nvme"],
    ["/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1", "nvme0n1", "nvme"],
    [`${PCI}/usb2/2-1/2-1:1.0/host9/target9:0:0/9:0:0:0/block/sde`, "sde", "usb"],
    [`${PCI}/virtio2/block/vda`, "vda", "virtio"],
    [`${PCI}/host0/target0:2:0/0:2:0:0/block/sda`, "sda", "scsi"],
  ];
  for (const [device, name, transport] of paths) assert.equal(transportOf(device, name), transport, device);
});
