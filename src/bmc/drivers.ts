/** What speaks to a BMC, by its address. What all of them share (sockets, catalogues) is made once. */
import type { Clock } from "#io/clock.ts";
import type { Crypto } from "#io/crypto.ts";
import type { Entropy } from "#io/entropy.ts";
import type { OpenHttp } from "#io/http.ts";
import type { Log } from "#io/log.ts";
import type { Resolve } from "#io/resolve.ts";
import type { OpenUdp } from "#io/udp.ts";
import { PRIVILEGE } from "#wire/ipmi/constants.ts";
import { SealedCredentials } from "./credentials.ts";
import type { MakeBmc } from "./fleet.ts";
import { createHttpPowerBmc } from "./http-power/client.ts";
import type { PowerDice } from "./http-power/client.ts";
import { SensorCatalog } from "./ipmi/health.ts";
import { IpmiBmc } from "./ipmi/ipmi.ts";
import { IpmiSockets } from "./ipmi/sockets.ts";
import { createRedfishBmc } from "./redfish/client.ts";
import { renewed } from "./renewed.ts";

export interface DriverDoors {
  readonly openUdp: OpenUdp;
  readonly openHttp: OpenHttp;
  readonly resolve: Resolve;
  readonly crypto: Crypto;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
}

export interface DriverSettings {
  /** PEM of the authorities that may have signed BMCs' certificates; absent: the system's. */
  readonly ca?: string;
  /** How often the power API of virtual machines is made to fail, for tests. */
  readonly dice?: PowerDice;
}

export function createDrivers(doors: DriverDoors, settings: DriverSettings = {}): MakeBmc {
  const { openUdp, resolve, clock, entropy, crypto } = doors;
  const openHttp = renewed(doors.openHttp);
  const { dice = { explicit: 0, silent: 0 } } = settings;
  const log = doors.log.with({ part: "bmc" });
  const ipmi = { sockets: new IpmiSockets(openUdp), catalog: new SensorCatalog(), clock, entropy, crypto, resolve };
  return ({ machine, address, credentials = new SealedCredentials("", ""), known, onPin }) => {
    switch (address.protocol) {
      case "ipmi":
        return new IpmiBmc(ipmi, {
          host: address.host,
          port: address.port,
          credentials,
          interface: address.interface,
          privilege: PRIVILEGE[address.privilege],
          machine,
          onQuirk: (quirk) => log.info("a BMC is peculiar", { server: machine, bmc: address.host, quirk }),
          ...(address.cipherSuite === undefined ? {} : { cipherSuite: address.cipherSuite }),
        });
      case "redfish":
        return createRedfishBmc({
          server: address.origin,
          system: address.system,
          vendor: address.vendor,
          credentials,
          expected: address.fingerprint,
          known,
          onPin,
          ca: settings.ca,
          open: openHttp,
          clock,
          log,
        });
      case "http":
        return createHttpPowerBmc({ url: address.url, open: openHttp, clock, entropy, dice });
    }
  };
}
