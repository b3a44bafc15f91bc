/** What has become of a machine since it was last seen, for people: `memory 64 GB → 32 GB, disk sdb gone`. */
import type { HardwareInformation } from "#kinds/metal/v1alpha2/hardware.ts";

/** Parts that are told one by one; more of a kind are counted. */
const MOST_TOLD = 4;

/**
 * One phrase for each difference that matters to whoever looks after the machine, none when there is none. Addresses, flags, kernel and agent
 * change from boot to boot and are passed over. So is what was not on record before: to learn more is no change.
 */
export function changesOf(before: HardwareInformation, after: HardwareInformation): string[] {
  return [
    ...system(before, after),
    ...processors(before, after),
    ...value("memory", before.memory?.totalSize, after.memory?.totalSize),
    ...parts("memory module", before.memory?.modules, after.memory?.modules, {
      id: ({ slot, serialNumber }) => [slot, serialNumber].filter(Boolean).join(" "),
      name: ({ slot, productName, serialNumber }) => slot || serialNumber || productName || "",
    }),
    ...parts("disk", before.storage?.devices, after.storage?.devices, {
      id: ({ wwid, serialNumber, name }) => wwid || serialNumber || name || "",
      name: ({ name, productName, serialNumber }) => [name, bracketed(productName, serialNumber)].filter(Boolean).join(" "),
    }),
    ...parts("interface", before.network?.interfaces, after.network?.interfaces, {
      id: ({ mac = "" }) => mac.toLowerCase(),
      name: ({ name, mac }) => [name, bracketed(mac)].filter(Boolean).join(" "),
    }),
    ...neighbours(before, after),
    ...parts("GPU", gpus(before), gpus(after), {
      id: ({ pciAddress, productName }) => [pciAddress, productName].filter(Boolean).join(" "),
      name: ({ productName, pciAddress }) => productName || pciAddress || "",
    }),
    ...value("firmware", before.firmware?.version, after.firmware?.version),
    ...value("boot mode", before.firmware?.bootMode, after.firmware?.bootMode),
    ...value("Secure Boot", onOff(before.firmware?.secureBoot), onOff(after.firmware?.secureBoot)),
    ...value("TPM", present(before.tpm), present(after.tpm)),
  ];
}

type List<Part> = readonly Part[] | undefined;

function value(what: string, before: string | number | undefined, after: string | number | undefined): string[] {
  const isKnown = before !== undefined && before !== "" && after !== undefined && after !== "";
  return isKnown && before !== after ? [`${what} ${before} → ${after}`] : [];
}

function system({ system: before }: HardwareInformation, { system: after }: HardwareInformation): string[] {
  return [
    ...value("UUID", before?.uuid?.toLowerCase(), after?.uuid?.toLowerCase()),
    ...value("product", before?.productName, after?.productName),
    ...value("serial number", before?.serialNumber, after?.serialNumber),
  ];
}

function processors({ compute: before }: HardwareInformation, { compute: after }: HardwareInformation): string[] {
  return [
    ...value("processors", before?.processorCount, after?.processorCount),
    ...value("processor", before?.processors?.[0]?.productName, after?.processors?.[0]?.productName),
    ...value("cores", before?.totalCoreCount, after?.totalCoreCount),
    ...value("threads", before?.totalThreadCount, after?.totalThreadCount),
  ];
}

/** Parts that came or went, told apart by `id`; parts of the same id are taken for equal and counted. */
function parts<Part>(
  what: string,
  before: List<Part>,
  after: List<Part>,
  { id, name }: { id: (part: Part) => string; name: (part: Part) => string },
): string[] {
  if (before === undefined || after === undefined) return [];
  return [...told(what, without(after, before, id), name, "new"), ...told(what, without(before, after, id), name, "gone")];
}

function without<Part>(these: readonly Part[], those: readonly Part[], id: (part: Part) => string): Part[] {
  const left = new Map<string, number>();
  for (const part of those) left.set(id(part), (left.get(id(part)) ?? 0) + 1);
  return these.filter((part) => {
    const count = left.get(id(part)) ?? 0;
    left.set(id(part), count - 1);
    return count <= 0;
  });
}

function told<Part>(what: string, found: readonly Part[], name: (part: Part) => string, how: "new" | "gone"): string[] {
  if (found.length > MOST_TOLD) return [`${found.length} ${what}s ${how}`];
  return found.map((part) => [what, name(part), how].filter(Boolean).join(" "));
}

/** Cables that were moved. */
function neighbours({ network: before }: HardwareInformation, { network: after }: HardwareInformation): string[] {
  const were = new Map(before?.interfaces?.map(({ mac, lldp }) => [mac, lldp]));
  return (after?.interfaces ?? []).flatMap(({ name, mac, lldp }) =>
    value(`${name ?? mac ?? "interface"} at`, placeOf(were.get(mac)), placeOf(lldp)),
  );
}

function placeOf(lldp: { chassis?: string; systemName?: string; port?: string } | undefined): string | undefined {
  return lldp && [lldp.systemName || lldp.chassis, lldp.port].filter(Boolean).join(" port ");
}

function bracketed(...texts: (string | undefined)[]): string {
  const known = texts.filter(Boolean);
  return known.length === 0 ? "" : `(${known.join(", ")})`;
}

/** Our agent lists them all; upstream's knows of none. */
function gpus({ gpus: listed, agentVersion }: HardwareInformation): HardwareInformation["gpus"] {
  return listed ?? (agentVersion === undefined ? undefined : []);
}

function onOff(isOn: boolean | undefined): string | undefined {
  return isOn === undefined ? undefined : isOn ? "on" : "off";
}

function present(tpm: HardwareInformation["tpm"]): string | undefined {
  return tpm?.present === undefined ? undefined : tpm.present ? tpm.version || "present" : "none";
}
