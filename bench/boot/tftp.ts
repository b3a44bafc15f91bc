/** TFTP to one client and to 500: Sidero, tftpd-hpa and dnsmasq, in turn, the same file to the same client program. */
import { join } from "node:path";
import { compare, print } from "../report.ts";
import { expectAll, quotients, rounds } from "./round.ts";
import type { Place } from "./place.ts";
import { startServer } from "./server.ts";
import type { Server } from "./server.ts";
import { programs } from "./sidero.ts";

const FILE = "snp.efi";

interface Kind {
  readonly name: string;
  readonly clients: number;
  /** Of one round. */
  readonly transfers: number;
  readonly blockSize: number;
  /** 0: not asked for. */
  readonly windowSize: number;
}

/** iPXE asks for 1432 and no windows, UEFI of today for windows of 4, very old firmware for nothing. */
const KINDS: readonly Kind[] = [
  { name: "as old firmware", clients: 1, transfers: 60, blockSize: 0, windowSize: 0 },
  { name: "as iPXE", clients: 1, transfers: 200, blockSize: 1432, windowSize: 0 },
  { name: "as UEFI", clients: 1, transfers: 200, blockSize: 1468, windowSize: 4 },
  { name: "as iPXE", clients: 500, transfers: 1000, blockSize: 1432, windowSize: 0 },
  { name: "as UEFI", clients: 500, transfers: 1000, blockSize: 1468, windowSize: 4 },
];

export async function benchTftp(place: Place, sidero: Server): Promise<void> {
  const servers = [sidero, ...(await startPeers(place))];
  const load = await place.compile("tftp-load.c");
  for (const { name: what, clients, transfers, blockSize, windowSize } of KINDS) {
    const count = Math.max(clients, Math.ceil(transfers * place.share));
    const numbers = [clients, count, blockSize, windowSize].map(String);
    const path = join(programs(place), FILE);
    const series = await rounds(place, servers, ({ address }) => [load, address, "69", FILE, path, ...numbers]);
    expectAll(servers, series);
    const [ours, ...theirs] = series;
    const name = `TFTP, ${clients} ${clients === 1 ? "client" : "clients"} ${what}`;
    theirs.forEach((peer, i) => {
      const { name: of } = servers[i + 1]!;
      print(compare(name, "MB/s", quotients(ours!, "bytes", "seconds", 1e-6), quotients(peer, "bytes", "seconds", 1e-6), of));
      const cost = (of: typeof peer): number[] => quotients(of, "cpu", "bytes", 1e6);
      print(compare(`${name}, CPU of the server`, "ms/MB", cost(ours!), cost(peer), of));
      if (clients > 1) print(compare(`${name}, slowest hundredth of the files`, "ms", ours!["p99"]!, peer["p99"]!, of));
    });
  }
  for (const peer of servers.slice(1)) await peer.close();
}

async function startPeers(place: Place): Promise<Server[]> {
  const root = programs(place);
  const hpa = ["--foreground", "--listen", "--address", "127.0.0.2:69", "--user", "root", "--secure", root];
  const dnsmasq = ["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--log-facility=/dev/null", "--user=root"];
  // By default it serves 50 at once.
  const tftp = [
    "--port=0",
    "--listen-address=127.0.0.3",
    "--bind-interfaces",
    "--enable-tftp",
    `--tftp-root=${root}`,
    "--tftp-max=1000",
  ];
  return [
    await startServer(place, {
      name: "tftpd-hpa",
      address: "127.0.0.2",
      command: [`${place.peers}/usr/sbin/in.tftpd`, ...hpa],
      env: place.peerEnvironment,
    }),
    await startServer(place, { name: "dnsmasq", address: "127.0.0.3", command: ["dnsmasq", ...dnsmasq, ...tftp] }),
  ];
}
