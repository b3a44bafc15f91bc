/** The order of a GUID's bytes, about which BMCs do not agree. */
import { formatUuid, swapUuid } from "#std/uuid.ts";

/**
 * The UUID that sixteen bytes of `Get System GUID` stand for: as SMBIOS has it, as RFC 9562 writes it, or from the back as IPMI 2.0 §20.8 asks.
 * `known` (lower case) settles it when it is one of them. Else the first one with a version and variant that exist; undefined when there is
 * none, or there is nothing in it.
 */
export function readGuid(bytes: Uint8Array, known?: string): string | undefined {
  if (bytes.length !== 16 || bytes.every((byte) => byte === bytes[0])) return undefined;
  const readings = [swapUuid(bytes), bytes, bytes.toReversed()].map(formatUuid);
  return readings.find((uuid) => uuid === known) ?? readings.find((uuid) => /^.{14}[1-8].{4}[89ab]/.test(uuid));
}
