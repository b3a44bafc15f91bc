/** The doors of `sidero bmc` and `sidero console`: a BMC reached from this machine, and the terminal byte by byte. */
import type { OpenBmc, RawTerminal } from "#cli/bmc.ts";
import { readCredentials } from "#bmc/credentials.ts";
import { createDrivers } from "#bmc/drivers.ts";
import { bmcWay, formatBmcAddress } from "#decide/bmc-address.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { createLog } from "#io/node/log.ts";
import { Fault } from "#std/fault.ts";
import { nodeFleetDoors, secretReader } from "./fleet.ts";

export const openBmc: OpenBmc = async (server, client) => {
  const way = bmcWay(server.spec);
  const { name = "" } = server.metadata;
  const refused = (problem: string): Fault =>
    new Fault("cli.no-bmc", `Server ${name}: ${problem}`, { fault: "caller", retry: "never" });
  if (way.way === "none") throw refused("it has no BMC (spec.bmc)");
  if (way.way === "unusable") throw refused(way.problem);
  const credentials = await readCredentials(way.credentials, secretReader(client));
  const log = createLog({ format: "text", verbosity: 0 });
  const make = createDrivers({ ...nodeFleetDoors, clock, entropy, log });
  const known = server.status?.bmc?.fingerprint;
  const bmc = make({
    machine: name,
    address: way.address,
    ...(credentials === undefined ? {} : { credentials }),
    ...(known === undefined ? {} : { known }),
    onPin: () => {},
  });
  // A waiting promise keeps no process alive; a call of a BMC is mostly that.
  const staying = setInterval(() => {}, 2 ** 30);
  return {
    address: formatBmcAddress(way.address),
    power: (signal) => bmc.power(signal),
    capabilities: (signal) => bmc.capabilities(signal),
    inventory: (signal) => bmc.inventory(signal),
    health: (signal) => bmc.health(signal),
    console: (signal) => bmc.console(signal),
    async close() {
      await bmc.close();
      clearInterval(staying);
    },
  };
};

/** Of this process. Keys come one by one and are not echoed; where there is no terminal, as they are piped. */
export function openRawTerminal(): RawTerminal {
  const { stdin, stdout } = process;
  if (stdin.isTTY) stdin.setRawMode(true);
  return {
    keys: stdin,
    show: (bytes) => void stdout.write(bytes),
    close() {
      if (stdin.isTTY) stdin.setRawMode(false);
      stdin.destroy();
    },
  };
}
