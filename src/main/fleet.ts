/** The BMCs of all machines, on whatever doors. Made before the API, which its Secrets come from, and before the flight recorder. */
import { noCredentials } from "#bmc/credentials.ts";
import type { ReadSecret } from "#bmc/credentials.ts";
import { createDrivers } from "#bmc/drivers.ts";
import type { DriverSettings } from "#bmc/drivers.ts";
import { createFleet } from "#bmc/fleet.ts";
import type { Fleet } from "#bmc/fleet.ts";
import type { Settings } from "#cli/settings/read.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import type { Crypto } from "#io/crypto.ts";
import type { Entropy } from "#io/entropy.ts";
import type { OpenHttp } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import { systemCrypto } from "#io/node/crypto.ts";
import { openHttp } from "#io/node/http-client.ts";
import { interfaces } from "#io/node/interfaces.ts";
import { systemResolve } from "#io/node/resolve.ts";
import { openUdp } from "#io/node/udp.ts";
import type { Resolve } from "#io/resolve.ts";
import type { Interfaces, OpenUdp } from "#io/udp.ts";
import type { Client } from "#kube/client.ts";
import { kindRef } from "#kube/kind.ts";
import type { Metrics } from "#kube/metrics.ts";
import { isNotFound } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";

export interface FleetDoors {
  readonly openUdp: OpenUdp;
  readonly openHttp: OpenHttp;
  readonly interfaces: Interfaces;
  readonly resolve: Resolve;
  readonly crypto: Crypto;
}

export interface FleetPorts {
  readonly doors: FleetDoors;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface OpenFleet {
  readonly fleet: Fleet;
  /** Where Secrets are, and who is told what is seen, as soon as they are there. */
  connect(to: { readonly client?: Client; readonly witness?: Witness }): void;
}

/** Of this machine. */
export const nodeFleetDoors: FleetDoors = { openUdp, openHttp, interfaces, resolve: systemResolve, crypto: systemCrypto };

export function openFleet({ doors, clock, entropy, log, metrics }: FleetPorts, settings: Settings): OpenFleet {
  let readSecret: ReadSecret = (reference) => Promise.reject(noCredentials(reference, "cannot be read yet"));
  let witness: Witness = () => {};
  const fleet = createFleet({
    makeBmc: createDrivers({ ...doors, clock, entropy, log }, driverSettings(settings)),
    readSecret: (reference) => readSecret(reference),
    openUdp: doors.openUdp,
    interfaces: doors.interfaces,
    clock,
    entropy,
    log,
    metrics,
    witness: (sighting) => witness(sighting),
  });
  return {
    fleet,
    connect(to) {
      if (to.client !== undefined) readSecret = secretReader(to.client);
      witness = to.witness ?? witness;
    },
  };
}

export function driverSettings(settings: Settings): DriverSettings {
  const explicit = settings["test-power-simulated-explicit-failure-prob"];
  const silent = settings["test-power-simulated-silent-failure-prob"];
  return explicit === 0 && silent === 0 ? {} : { dice: { explicit, silent } };
}

interface Secret extends KubeObject {
  readonly data?: Record<string, string>;
}
const Secret = kindRef<Secret>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });

/** Asks the API each time: what a cache has may be the password of yesterday, and a wrong one can lock an account. */
export function secretReader(client: Client): ReadSecret {
  return async (reference) => {
    const { namespace, name, key } = reference;
    const secret = await client
      .for(Secret)
      .in(namespace)
      .get(name)
      .catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)));
    if (secret === undefined) throw noCredentials(reference, "the Secret does not exist");
    const value = secret.data?.[key];
    if (value === undefined) throw noCredentials(reference, "the Secret has no such key");
    return Buffer.from(value, "base64").toString();
  };
}
