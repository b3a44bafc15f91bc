/** Our DHCP service as a process of its own, for a network namespace: options as JSON in the first argument, sightings and log as JSON lines. */
import { lookup } from "node:dns/promises";
import { createDhcp } from "#boot/dhcp/dhcp.ts";
import type { DhcpOptions } from "#boot/dhcp/dhcp.ts";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import type { Log } from "#io/log.ts";
import { systemClock } from "#io/node/clock.ts";
import { openIcmp6 } from "#io/node/icmp6.ts";
import { interfaces } from "#io/node/interfaces.ts";
import { createJournal } from "#io/node/journal.ts";
import { openUdp } from "#io/node/udp.ts";
import { programFor } from "./dhcp-client.ts";

export interface HostOptions extends Partial<Pick<DhcpOptions, "mode" | "endpoint" | "interfaceNames">> {
  /** What the subnets file has. */
  readonly subnets?: unknown;
  /** Directory of the leases. */
  readonly journal?: string;
}

const { subnets, journal, ...options } = JSON.parse(process.argv[2]!) as HostOptions;

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const say = (level: string) => (message: string) => print({ level, message });
const log: Log = { error: say("error"), warn: say("warn"), info: say("info"), debug: say("debug"), with: () => log };

const dhcp = createDhcp({
  openUdp,
  openIcmp6,
  interfaces,
  clock: systemClock,
  log,
  witness: print,
  ...(journal === undefined ? {} : { journal: createJournal(journal) }),
  mode: "proxy",
  interfaceNames: [],
  endpoint: "",
  port: 8081,
  lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  programFor,
  mayBoot: () => true,
  ...options,
  subnets: readSubnets(subnets),
});
const living = setInterval(() => {}, 1_000_000);
process.on("SIGTERM", () => void dhcp.close().then(() => clearInterval(living)));
await dhcp.start();
print({ ready: dhcp.status() });
