/** Whether a machine's agent may make an account on its BMC: only where nobody else has configured one. */
import type { Server } from "#kinds/metal/v1alpha2/server.ts";

/** No way to its power is configured, or only an address, which is what an agent leaves that was interrupted half way. */
export function lacksBmc({ spec }: Server): boolean {
  if (spec?.managementApi !== undefined) return false;
  const { bmc } = spec ?? {};
  if (bmc === undefined) return true;
  return [bmc.user, bmc.pass].every((text) => text === undefined || text === "") && bmc.userFrom === undefined && bmc.passFrom === undefined;
}
