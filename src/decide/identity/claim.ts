/** Whether what a machine says of itself fits the token it shows. */
import { parseIpv4, parseIpv6 } from "#std/address.ts";
import { equal } from "#std/json.ts";
import { formatUuid, parseUuid, swapUuid } from "#std/uuid.ts";
import { isPlaceholder } from "#wire/smbios/identity.ts";
import type { MachineFacts } from "./machine.ts";
import type { BootToken } from "./token.ts";

/** What does not fit, in words; undefined when everything does. What either side does not know contradicts nothing. */
export function claimProblem(token: BootToken, { uuid = "", macs, serial = "" }: MachineFacts): string | undefined {
  if (token.uuid !== undefined && uuid !== "" && !isSameUuid(token.uuid, uuid)) {
    return `its UUID is ${uuid}, but the boot script went to ${token.uuid}`;
  }
  if (token.mac !== undefined && macs.length > 0 && !macs.some((mac) => mac.toLowerCase() === token.mac)) {
    return `it has no interface ${token.mac}, which asked for the boot script`;
  }
  if (token.serial !== undefined && isOther(token.serial, serial)) {
    return `its serial number is "${serial}", but the boot script went to "${token.serial}"`;
  }
  return undefined;
}

/** Whether the token was issued to a machine at this address. */
export function isAddressOf(token: BootToken, address: string): boolean {
  const [its, callers] = [token.address, address].map((text) => parseIpv4(text) ?? parseIpv6(text.replace(/%.*$/s, "")));
  return its !== undefined && callers !== undefined && equal([...its], [...callers]);
}

/** iPXE before 2012 did not know that SMBIOS 2.6 changed the order of bytes, and tables before 2.6 are read in either. */
function isSameUuid(a: string, b: string): boolean {
  const bytes = parseUuid(b);
  return bytes !== undefined && [formatUuid(bytes), formatUuid(swapUuid(bytes))].includes(a.toLowerCase());
}

/** Blanks and what is not ASCII come out differently from firmware to firmware. */
function isOther(a: string, b: string): boolean {
  const [plainA, plainB] = [a, b].map((text) => text.toLowerCase().replaceAll(/[^a-z0-9]/g, ""));
  return !isPlaceholder(a) && !isPlaceholder(b) && plainA !== plainB;
}
