/** All that is known of a machine's hardware, as CreateServer wants it. */
import { create } from "@bufbuild/protobuf";
import type { InterfaceAddress } from "#io/machine.ts";
import { HardwareInformationSchema } from "#proto/api_pb.js";
import type { HardwareInformation } from "#proto/api_pb.js";
import { storageFacts } from "./disks.ts";
import { hardwareInterfaces, macOf, networkFacts } from "./interfaces.ts";
import type { Neighbours } from "./interfaces.ts";
import type { PciNames } from "./pci-names.ts";
import { pciDevices, pciFacts } from "./pci.ts";
import { computeFacts, memoryFacts, readSmbios, systemFacts } from "./smbios.ts";
import { devicesIn, numberOf, textOf } from "./tree.ts";
import type { Tree } from "./tree.ts";

const EFI = "/sys/firmware/efi";
const SECURE_BOOT = `${EFI}/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c`;
const TPM = "/sys/class/tpm";

export interface ReportSources {
  readonly tree: Tree;
  readonly addresses: readonly InterfaceAddress[];
  readonly names: PciNames;
  readonly neighbours: Neighbours;
  readonly agentVersion: string;
}

/** Never throws, whatever the tree holds: what cannot be read is left out, and what is wrong is said in `smbios_flaws`. */
export function hardwareReport({ tree, addresses, names, neighbours, agentVersion }: ReportSources): HardwareInformation {
  const { smbios, flaws } = readSmbios(tree);
  const devices = pciDevices(tree, names);
  const system = smbios && systemFacts(smbios);
  return create(HardwareInformationSchema, {
    ...system,
    ...computeFacts(smbios, tree),
    ...memoryFacts(smbios, tree),
    ...storageFacts(tree),
    ...networkFacts(tree, addresses, devices, neighbours),
    ...pciFacts(devices),
    firmware: { ...system?.firmware, ...bootFacts(tree) },
    tpm: tpmFacts(tree),
    kernelVersion: textOf(tree, "/proc/sys/kernel/osrelease") ?? "",
    agentVersion,
    smbiosFlaws: [...flaws],
    architecture: architectureOf(tree),
  });
}

/** What names the machine, before all the rest is known. */
export interface Identity {
  readonly uuid: string;
  readonly serial: string;
  readonly macs: readonly string[];
  readonly bootMode: "uefi" | "bios";
  readonly architecture: string;
  readonly kernelVersion: string;
}

export function identityOf(tree: Tree): Identity {
  const { smbios } = readSmbios(tree);
  return {
    uuid: smbios?.system?.uuid ?? "",
    serial: smbios?.system?.serial ?? "",
    macs: hardwareInterfaces(tree).flatMap((name) => macOf(tree, name) ?? []),
    bootMode: bootFacts(tree).bootMode,
    architecture: architectureOf(tree),
    kernelVersion: textOf(tree, "/proc/sys/kernel/osrelease") ?? "",
  };
}

/** An EFI variable is four bytes of attributes, then its value (Documentation/filesystems/efivarfs.rst). */
function bootFacts(tree: Tree): { readonly bootMode: "uefi" | "bios"; readonly secureBoot?: boolean } {
  const variable = tree.files.get(SECURE_BOOT);
  const bootMode = tree.files.has(`${EFI}/fw_platform_size`) ? "uefi" : "bios";
  return { bootMode, ...(variable?.length === 5 ? { secureBoot: variable[4] === 1 } : {}) };
}

function tpmFacts(tree: Tree): { readonly present: boolean; readonly version: string } {
  const device = devicesIn(tree, TPM)[0];
  if (device === undefined) return { present: false, version: "" };
  return { present: true, version: numberOf(tree, `${TPM}/${device}/tpm_version_major`) === 2 ? "2.0" : "1.2" };
}

function architectureOf(tree: Tree): string {
  return textOf(tree, "/proc/sys/kernel/arch") === "aarch64" ? "arm64" : "amd64";
}
