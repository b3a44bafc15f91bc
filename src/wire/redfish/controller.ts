/** The controller itself (Manager, DSP0268) and the machine's network interfaces. */
import { formatMac, parseMac } from "#std/address.ts";
import { type Document, items, link, pathOf, section, text, texts } from "./document.ts";
import { defined } from "./root.ts";

export interface Controller {
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly media?: string;
  /** Ways to its serial console: `SSH`, `IPMI`, `Telnet`, `Oem`. */
  readonly console: readonly string[];
  /** Dell's action that imports a configuration profile. */
  readonly dellImport?: string;
}

export function readController(document: Document): Controller {
  const oem = section(section(document, "Actions"), "Oem");
  // `OemManager.v1_0_0#OemManager.ImportSystemConfiguration` and, since iDRAC 9, `#OemManager.…`.
  const imported = Object.keys(oem).find((key) => key.endsWith("#OemManager.ImportSystemConfiguration"));
  return defined<Controller>({
    manufacturer: text(document, "Manufacturer"),
    model: text(document, "Model"),
    firmware: text(document, "FirmwareVersion"),
    media: link(document, "VirtualMedia"),
    console: texts(section(document, "SerialConsole"), "ConnectTypesSupported"),
    dellImport: imported === undefined ? undefined : pathOf(section(oem, imported)["target"]),
  });
}

/** Of an EthernetInterface: its own address, or the one it uses; lower case with colons. */
export function readMac(document: Document): string | undefined {
  for (const key of ["PermanentMACAddress", "MACAddress"]) {
    const bytes = parseMac(text(document, key) ?? "");
    if (bytes !== undefined && bytes.some((byte) => byte !== 0)) return formatMac(bytes);
  }
  return undefined;
}

/** A collection: what it has, and where it goes on. Members may be references or, expanded, whole resources. */
export interface Collection {
  readonly members: readonly string[];
  readonly documents: readonly Document[];
  readonly next?: string;
}

export function readCollection(document: Document): Collection {
  const entries = items(document, "Members");
  const isExpanded = (entry: Document): boolean => Object.keys(entry).some((key) => !key.startsWith("@"));
  return defined<Collection>({
    members: entries.map((entry) => pathOf(entry["@odata.id"])).filter((path) => path !== undefined),
    documents: entries.length > 0 && entries.every(isExpanded) ? entries : [],
    next: pathOf(document["Members@odata.nextLink"]),
  });
}
