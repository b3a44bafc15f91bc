/** Where services differ from the standard or from one another, as data: a rule a line, each with where it is known from. */
import type { Identity, Vendor } from "./vendor.ts";

export interface Quirks {
  /** What a PATCH of the boot override carries: what changes (the target always), or everything each time. */
  readonly override: "changes" | "everything";
  /** The boot mode cannot be written, not even with the value it has. */
  readonly mode: "writable" | "fixed";
  /** What BootSourceOverrideEnabled shows after Once was set, where it is something else. */
  readonly showsOnceAs?: string;
  /** Targets that mean virtual media, where Cd means something else; used if the service allows them. */
  readonly cdTargets: readonly string[];
  /** Cd is the drive in the machine; the virtual one takes an import of Dell's configuration profile. */
  readonly dellVirtualCd: boolean;
  /** Under UEFI, the boot order finds the disk; forcing it makes the machine start for ever. */
  readonly diskByBootOrder: boolean;
  /** Boot settings are written to, and read back from, this path below the system. */
  readonly futureState?: string;
  /** The only slot of virtual media that works. */
  readonly mediaSlot?: string;
  /** Properties that InsertMedia takes besides Image. */
  readonly mediaProperties: readonly string[];
  /** A slot without the action InsertMedia is loaded by PATCH. */
  readonly mediaByPatch: boolean;
  /** A slot may show an Image long after it was taken out: what is connected counts. */
  readonly mediaByConnection: boolean;
  /** Where the serial number is that the machine's firmware shows. */
  readonly serial: "SerialNumber" | "SKU";
  /** `$expand` is not to be used although the service says that it works. */
  readonly noExpand: boolean;
}

const STANDARD: Quirks = {
  override: "changes",
  mode: "writable",
  cdTargets: [],
  dellVirtualCd: false,
  diskByBootOrder: false,
  mediaProperties: ["Inserted", "WriteProtected"],
  mediaByPatch: false,
  mediaByConnection: false,
  serial: "SerialNumber",
  noExpand: false,
};

export interface QuirkRule {
  readonly vendor: Vendor;
  /** Of the controller, such as `16G Monolithic`; absent: all. */
  readonly controller?: RegExp;
  /** Of its firmware. */
  readonly firmware?: RegExp;
  readonly quirks: Partial<Quirks>;
  readonly because: string;
  readonly source: string;
}

export const QUIRK_RULES: readonly QuirkRule[] = [
  {
    vendor: "Dell",
    quirks: { dellVirtualCd: true },
    because: "Cd starts the drive in the machine; the virtual one is set as ServerBoot.1#FirstBootDevice VCD-DVD",
    source: "github.com/dell/iDRAC-Redfish-Scripting issues 90 and 324; OpenStack Ironic, drivers/modules/drac/boot.py",
  },
  {
    vendor: "Dell",
    quirks: { serial: "SKU" },
    because: "SerialNumber is the board's; the service tag, which SMBIOS has, is the SKU",
    source: "Dell, iDRAC9 Redfish API Guide, ComputerSystem",
  },
  {
    vendor: "Dell",
    controller: /^(?:1[7-9]|[2-9]\d)G\b/,
    quirks: { mediaSlot: "1" },
    because: "of the two slots of iDRAC 10 only the first works",
    source: "github.com/dell/iDRAC-Redfish-Scripting issue 324; OpenStack Ironic",
  },
  {
    vendor: "HPE",
    quirks: { mode: "fixed" },
    because: "iLO refuses BootSourceOverrideMode even when it does not change",
    source: "github.com/ansible-collections/community.general issue 3509; github.com/metal3-io/metal3-docs pull request 581",
  },
  {
    vendor: "Supermicro",
    quirks: { override: "everything" },
    because: "what is not sent falls back to its default, the mode to Legacy",
    source: "storyboard.openstack.org story 2008547; github.com/DMTF/Redfishtool pull request 106",
  },
  {
    vendor: "Supermicro",
    quirks: { cdTargets: ["UsbCd"] },
    because: "virtual media is an optical drive on USB",
    source: "Supermicro, Redfish User Guide, boot sources; github.com/redhat-performance/jetlag issue 18",
  },
  {
    vendor: "Supermicro",
    quirks: { mediaProperties: [], mediaByConnection: true },
    because: "InsertMedia refuses Inserted and WriteProtected, and Image stays when nothing is connected any more",
    source: "github.com/ansible-collections/community.general pull requests 4839 and 7470",
  },
  {
    vendor: "Lenovo",
    quirks: { diskByBootOrder: true },
    because: "an override to Hdd under UEFI leads past the entry of the installed system, and the machine starts over",
    source: "OpenStack Ironic, drivers/modules/redfish/management.py",
  },
  {
    vendor: "Lenovo",
    quirks: { mediaByPatch: true },
    because: "slots EXT1 to EXT4 are loaded by PATCH; only newer firmware has InsertMedia as well",
    source: "pubs.lenovo.com/xcc2-restapi/insert_eject_virtual_media_patch",
  },
  {
    vendor: "AMI",
    quirks: { override: "everything", futureState: "SD" },
    because: "boot settings are taken in the future state only, target, enabled and mode together, under If-Match",
    source: "github.com/DMTF/Redfish-Tacklebox issue 144; pubs.lenovo.com/tsm/boot_object and patch_systems_instance_sd",
  },
  {
    vendor: "Sushy",
    quirks: { showsOnceAs: "Continuous" },
    because: "the emulator shows Continuous whatever was set",
    source: "sushy-tools 2.2.0, emulator/templates/system.json",
  },
];

/** All rules that fit, later ones over earlier ones. */
export function quirksOf(identity: Identity): Quirks {
  const rules = QUIRK_RULES.filter(
    ({ vendor, controller, firmware }) =>
      vendor === identity.vendor &&
      (controller?.test(identity.controller ?? "") ?? true) &&
      (firmware?.test(identity.firmware ?? "") ?? true),
  );
  return Object.assign({}, STANDARD, ...rules.map(({ quirks }) => quirks)) as Quirks;
}
