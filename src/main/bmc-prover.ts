/** How it is found out whether a BMC's account works: by logging in over the network, as the fleet will, in a session of its own. */
import type { ProveBmc } from "#agent/api/bmc-prover.ts";
import { SealedCredentials } from "#bmc/credentials.ts";
import { SensorCatalog } from "#bmc/ipmi/health.ts";
import { proveIpmi } from "#bmc/ipmi/proof.ts";
import { IpmiSockets } from "#bmc/ipmi/sockets.ts";
import type { Clock } from "#io/clock.ts";
import type { Entropy } from "#io/entropy.ts";
import { systemCrypto as crypto } from "#io/node/crypto.ts";
import type { OpenUdp } from "#io/udp.ts";

export interface BmcProverPorts {
  readonly openUdp: OpenUdp;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

export function createBmcProver({ openUdp, clock, entropy }: BmcProverPorts): ProveBmc {
  const sockets = new IpmiSockets(openUdp);
  // Agents tell addresses, not names.
  const resolve = async (address: string): Promise<string> => address;
  const doors = { sockets, catalog: new SensorCatalog(), clock, entropy, crypto, resolve };
  return async ({ address, port, user, password }, signal) => {
    await proveIpmi(doors, { host: address, port, credentials: new SealedCredentials(user, password) }, signal);
  };
}
