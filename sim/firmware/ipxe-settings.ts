/** What iPXE knows of the machine that it runs on. */
import type { Identity } from "../machine/model.ts";

export function ipxeSettings({ uuid, mac, serial, model }: Identity, address: string): Map<string, string> {
  const { manufacturer, product, firmware } = model;
  return new Map(
    Object.entries({
      uuid,
      serial,
      manufacturer,
      product,
      buildarch: "x86_64",
      platform: firmware === "uefi" ? "efi" : "pcbios",
      mac,
      ip: address,
      "net0/mac": mac,
      "net0/ip": address,
      "netX/mac": mac,
      "netX/ip": address,
    }),
  );
}
