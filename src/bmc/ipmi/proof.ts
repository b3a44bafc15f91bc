/** The proof that an account works: to log in with it. */
import type { PowerState } from "#decide/power.ts";
import { IpmiBmc } from "./ipmi.ts";
import type { IpmiDoors, IpmiOptions } from "./ipmi.ts";

/**
 * Opens a session as administrator, by IPMI 2.0 with suites 17 or 3, reads the power state and ends the session. Rejects as {@link IpmiBmc.power} does:
 * `bmc.denied`, `bmc.refused` and `bmc.unsupported` when the BMC is there and will not have it.
 */
export async function proveIpmi(
  doors: IpmiDoors,
  login: Pick<IpmiOptions, "host" | "port" | "credentials">,
  signal: AbortSignal,
): Promise<PowerState> {
  const bmc = new IpmiBmc(doors, login);
  try {
    return await bmc.power(signal);
  } finally {
    await bmc.close();
  }
}
