/** A rack with what serves it: Sidero, and either its DHCP server or the site's own one. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bmc } from "./bmc/bmc.ts";
import type { Description } from "./description.ts";
import { startDnsmasq, type Dnsmasq } from "./dnsmasq.ts";
import type { Machine } from "./machine.ts";
import type { Network } from "./network.ts";
import { createRack } from "./rack.ts";
import { startSidero, type Sidero } from "./sidero.ts";

const SUBNETS = `subnets:
  - subnet: 10.77.0.0/24
    mode: server
    pools: [10.77.0.100-10.77.0.199]
    routers: [10.77.0.1]
`;

/** Sidero gives addresses too, or it adds how to boot to the answers of dnsmasq, which gives the addresses. */
export type Dhcp = "server" | "proxy";

export interface SiteOptions {
  readonly machines: readonly Description[];
  readonly dhcp: Dhcp;
  /** Path of kubectl. */
  readonly kubectl: string;
  /** Folder with the agent's kernel and initial RAM disk. */
  readonly image: string;
  /** Folder with iPXE. */
  readonly programs: string;
  /** Folder of all logs; made if it is missing. */
  readonly logs: string;
  /** More flags of `sidero up`. */
  readonly flags?: Readonly<Record<string, string>>;
}

export interface Site {
  readonly network: Network;
  readonly machines: readonly Machine[];
  /** Of the machines that have one. */
  readonly bmcs: ReadonlyMap<Machine, Bmc>;
  /** The one that runs now. */
  readonly sidero: Sidero;
  /** The site's own DHCP server, where there is one. */
  readonly dnsmasq?: Dnsmasq;
  /** Starts Sidero again after it has been stopped; it goes on with its data. */
  restart(): Promise<Sidero>;
  close(): Promise<void>;
}

/** The machines are off, Sidero serves. */
export async function openSite({
  machines: descriptions,
  dhcp,
  kubectl,
  image,
  programs,
  logs,
  flags = {},
}: SiteOptions): Promise<Site> {
  await mkdir(logs, { recursive: true });
  const { network, machines, bmcs, close } = await createRack(descriptions, logs);
  let dnsmasq: Dnsmasq | undefined;
  let sidero: Sidero | undefined;

  const start = async (): Promise<Sidero> => {
    const file = join(network.directory, "subnets.yaml");
    await writeFile(file, SUBNETS);
    const modes = dhcp === "server" ? { dhcp, "dhcp-subnets": file } : { dhcp };
    const all = { "dhcp-interfaces": "rack", "agent-image": image, "boot-programs": programs, ...modes, ...flags };
    return startSidero(network, { flags: all, kubectl, logs });
  };
  const shut = async (): Promise<void> => {
    await sidero?.stop();
    await dnsmasq?.stop();
    await close();
  };

  try {
    if (dhcp === "proxy") {
      const namespace = await network.annex(2);
      // The router advertisement is any IPv6 network's; without it iPXE waits for one.
      const lines = ["enable-ra", "dhcp-range=fd77::,ra-only,64,1h"];
      dnsmasq = await startDnsmasq(network, { namespace, interface: "eth0", range: ["10.77.0.100", "10.77.0.199"], lines });
    }
    sidero = await start();
  } catch (error) {
    await shut();
    throw error;
  }
  return {
    network,
    machines,
    bmcs,
    ...(dnsmasq && { dnsmasq }),
    get sidero() {
      return sidero!;
    },
    async restart() {
      sidero = await start();
      return sidero;
    },
    close: shut,
  };
}
