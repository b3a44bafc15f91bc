/** The client and the simulated BMC on the machine's own doors, for what foreign programs are to meet. */
import { SensorCatalog } from "#bmc/ipmi/health.ts";
import { IpmiBmc } from "#bmc/ipmi/ipmi.ts";
import type { IpmiOptions } from "#bmc/ipmi/ipmi.ts";
import { IpmiSockets } from "#bmc/ipmi/sockets.ts";
import { systemClock } from "#io/node/clock.ts";
import { systemCrypto } from "#io/node/crypto.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { systemResolve } from "#io/node/resolve.ts";
import { openUdp } from "#io/node/udp.ts";
import { parseUuid, swapUuid } from "#std/uuid.ts";
import { serveIpmi } from "../../sim/bmc/ipmi/serve.ts";
import type { ServedIpmi, ServeOptions } from "../../sim/bmc/ipmi/serve.ts";
import { TestChassis, USER, UUID } from "./ipmi-fixture.ts";

const DOORS = { clock: systemClock, crypto: systemCrypto, entropy: systemEntropy } as const;

export interface Served extends ServedIpmi {
  readonly chassis: TestChassis;
}

/** A simulated BMC on a free port of loopback. */
export async function serve(options: Partial<ServeOptions> = {}): Promise<Served> {
  const chassis = new TestChassis();
  const served = await serveIpmi({
    ...DOORS,
    openUdp,
    host: "127.0.0.1",
    port: 0,
    chassis,
    guid: swapUuid(parseUuid(UUID)!),
    users: [{ name: USER.user, password: USER.password }],
    product: { manufacturer: "Maker", name: "Server 9", serial: "SN-9" },
    lan: { address: "127.0.0.1", mac: "52:54:00:00:00:01" },
    ...options,
  });
  return { ...served, chassis };
}

/** Our client of whatever BMC there is at the port of loopback. */
export function client(port: number, options: Partial<IpmiOptions> = {}): IpmiBmc {
  const doors = { ...DOORS, sockets: new IpmiSockets(openUdp), catalog: new SensorCatalog(), resolve: systemResolve };
  return new IpmiBmc(doors, { host: "localhost", port, credentials: USER, ...options });
}
