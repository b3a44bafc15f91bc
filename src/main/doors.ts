/** What the provisioning side of a process is opened on: this machine's sockets and files, or the simulator's memory. */
import { lookup } from "node:dns/promises";
import { join } from "node:path";
import type { Disk } from "#io/disk.ts";
import type { Entropy } from "#io/entropy.ts";
import type { OpenIcmp6 } from "#io/icmp6.ts";
import type { Journal } from "#io/journal.ts";
import type { Seal } from "#io/seal.ts";
import type { Signer } from "#io/sign.ts";
import type { Listen } from "#io/serve.ts";
import type { ConnectTcp, ListenTcp } from "#io/tcp.ts";
import type { OpenTunnel } from "#io/tunnel.ts";
import type { Interfaces, OpenUdp } from "#io/udp.ts";
import { disk } from "#io/node/disk.ts";
import { openIcmp6 } from "#io/node/icmp6.ts";
import { interfaces } from "#io/node/interfaces.ts";
import { createJournal } from "#io/node/journal.ts";
import { openSeal } from "#io/node/seal.ts";
import { openSigner } from "#io/node/sign.ts";
import { listen } from "#io/node/serve.ts";
import { connectTcp, listenTcp } from "#io/node/tcp.ts";
import { openTunnel } from "#io/node/tunnel.ts";
import { openUdp } from "#io/node/udp.ts";

export interface ProvisionDoors {
  readonly disk: Disk;
  readonly openUdp: OpenUdp;
  readonly openIcmp6: OpenIcmp6;
  readonly interfaces: Interfaces;
  /** For the HTTP port of machines. */
  readonly listen: Listen;
  /** Addresses of a host name; rejects when it has none. */
  readonly lookup: (name: string) => Promise<readonly string[]>;
  /** Marks boot tokens; outlives the process. */
  readonly seal: Seal;
  /** Signs erase records; absent: they are not signed. */
  readonly signer?: Signer;
  /** WireGuard; absent: there is no SideroLink. */
  readonly openTunnel?: OpenTunnel;
  /** For machines' logs; absent: none are received. */
  readonly tcp?: { readonly listenTcp: ListenTcp; readonly connectTcp: ConnectTcp };
  /** Where DHCP keeps its leases. Not open yet: DHCP opens it when it needs it. */
  readonly leases: Journal;
}

/** Of this machine; what has to last is in the data directory. */
export async function openNodeDoors(directory: string, entropy: Entropy): Promise<ProvisionDoors> {
  return {
    disk,
    openUdp,
    openIcmp6,
    interfaces,
    listen,
    lookup: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
    seal: await openSeal({ disk, entropy, path: join(directory, "pki", "boot.key") }),
    signer: await openSigner({
      disk,
      path: join(directory, "pki", "erase.key"),
      publicPath: join(directory, "pki", "erase.pub"),
    }),
    openTunnel,
    tcp: { listenTcp, connectTcp },
    leases: createJournal(join(directory, "leases")),
  };
}
