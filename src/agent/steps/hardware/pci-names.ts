/** Names for the numbers of PCI, from the `pci.ids` list that pciutils and the PCI ID Repository keep. */
export interface PciNames {
  /** `Intel Corporation`; empty when the list does not have it, as for the others. */
  vendorName(vendor: number): string;
  deviceName(vendor: number, device: number): string;
  /** Of 24 bits: the name of the subclass, else of the class. */
  className(code: number): string;
}

/** The list is walked once for what is asked; a machine has some dozens of devices, the list 40,000 lines. */
export function createPciNames(list: string): PciNames {
  const lookUp = (head: string, tail: string): { readonly head: string; readonly tail: string } => {
    const start = list.startsWith(`${head}  `) ? 0 : list.indexOf(`\n${head}  `) + 1;
    if (start === 0 && !list.startsWith(`${head}  `)) return { head: "", tail: "" };
    const first = lineAt(list, start);
    // What belongs to an entry is the indented lines below it.
    const end = /\n[^\t\n#]/g;
    end.lastIndex = start + first.length;
    const below = list.slice(start + first.length, end.exec(list)?.index ?? list.length);
    const found = below.indexOf(`\n\t${tail}  `);
    return {
      head: first.slice(head.length).trim(),
      tail:
        found < 0
          ? ""
          : lineAt(below, found + 1)
              .slice(tail.length + 1)
              .trim(),
    };
  };
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
  return {
    vendorName: (vendor) => lookUp(hex(vendor, 4), "-").head,
    deviceName: (vendor, device) => lookUp(hex(vendor, 4), hex(device, 4)).tail,
    className: (code) => {
      const { head, tail } = lookUp(`C ${hex(code >>> 16, 2)}`, hex((code >>> 8) & 0xff, 2));
      return tail || head;
    },
  };
}

function lineAt(text: string, start: number): string {
  const end = text.indexOf("\n", start);
  return text.slice(start, end < 0 ? text.length : end);
}
