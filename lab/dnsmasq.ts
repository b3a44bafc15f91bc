/** dnsmasq, a DHCP server we did not write: the site's own beside which Sidero is a proxy, a rival, or (with TFTP) the whole road of a boot. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { start, waitFor } from "../test/peers/process.ts";
import { inside } from "./command.ts";
import type { Network } from "./network.ts";

export interface DnsmasqOptions {
  /** Namespace it runs in: the network's, or an annex. */
  readonly namespace: string;
  /** Interface it answers on. */
  readonly interface: string;
  /** First and last address that it gives. */
  readonly range: readonly [string, string];
  /** More lines of its configuration: what and from where to boot. */
  readonly lines?: readonly string[];
}

/** Lines that spare iPXE its waits: 16 s for a router advertisement, 3 s for an offer of a proxy. For when there is no proxy. */
export const QUICK_IPXE = ["enable-ra", "dhcp-range=fd77::,ra-only,64,1h", "dhcp-option-force=encap:175,176,1b"];

export interface Dnsmasq {
  /** What it has logged lately: each packet. */
  log(): string;
  stop(): Promise<void>;
}

let started = 0;

/** Resolves when it listens. */
export async function startDnsmasq(network: Network, options: DnsmasqOptions): Promise<Dnsmasq> {
  const file = join(network.directory, `dnsmasq${started++}`);
  const lines = [
    "port=0",
    `interface=${options.interface}`,
    "bind-interfaces",
    `dhcp-range=${options.range.join(",")},255.255.255.0,1h`,
    `dhcp-leasefile=${file}.leases`,
    `pid-file=${file}.pid`,
    "log-dhcp",
    // Otherwise it becomes nobody, who may not read the network's directory.
    "user=root",
    // It would try for three seconds whether an address is free.
    "no-ping",
    "dhcp-authoritative",
    ...(options.lines ?? []),
  ];
  await writeFile(`${file}.conf`, `${lines.join("\n")}\n`);
  const args = ["--keep-in-foreground", `--conf-file=${file}.conf`, "--log-facility=-"];
  const child = start(...inside(options.namespace, "dnsmasq", args));
  await waitFor(child, "dnsmasq", 10_000, () => (child.log().includes("started, version") ? true : undefined));
  return { log: child.log, stop: () => child.stop() };
}
