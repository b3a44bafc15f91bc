/** TFTP to one client and to 500: ours, tftpd-hpa and dnsmasq, in turn, the same file to the same client program. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { compare, print } from "../report.ts";
import { startServer } from "./server.ts";
import type { Server } from "./server.ts";
import { program } from "./place.ts";
import type { Place } from "./place.ts";

const run = promisify(execFile);
const FILE = "snp.efi";
/** As large as Debian's. */
const SIZE = 284_672;

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

interface Figures {
  readonly seconds: number;
  readonly bytes: number;
  readonly failed: number;
  readonly p99: number;
}

export async function benchTftp(place: Place): Promise<void> {
  const path = join(place.directory, FILE);
  writeFileSync(path, randomBytes(SIZE));
  // dnsmasq and tftpd-hpa serve what everyone may read.
  chmodSync(place.directory, 0o755);
  chmodSync(path, 0o644);
  const load = await place.compile("tftp-load.c");
  const servers = await start(place, path);
  try {
    for (const kind of KINDS) await measure(kind, place, servers, load, path);
  } finally {
    for (const server of servers) await server.close();
  }
}

async function start(place: Place, path: string): Promise<readonly [ours: Server, ...peers: Server[]]> {
  const root = place.directory;
  return [
    await startServer({
      name: "sidero",
      address: "127.0.0.1",
      command: [process.execPath, program("tftp-server.ts"), "127.0.0.1", "69", FILE, path],
      ready: "ready",
    }),
    await startServer({
      name: "tftpd-hpa",
      address: "127.0.0.2",
      command: [
        `${place.peers}/usr/sbin/in.tftpd`,
        "--foreground",
        "--listen",
        "--address",
        "127.0.0.2:69",
        "--user",
        "root",
        "--secure",
        root,
      ],
      env: place.peerEnvironment,
    }),
    await startServer({
      name: "dnsmasq",
      address: "127.0.0.3",
      // By default it serves 50 at once.
      command: [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--port=0",
        "--user=root",
        "--listen-address=127.0.0.3",
      ].concat(["--bind-interfaces", "--enable-tftp", `--tftp-root=${root}`, "--tftp-max=1000", "--log-facility=/dev/null"]),
    }),
  ];
}

async function measure(
  kind: Kind,
  place: Place,
  servers: readonly [Server, ...Server[]],
  load: string,
  path: string,
): Promise<void> {
  const { clients, blockSize, windowSize } = kind;
  const transfers = Math.max(clients, Math.ceil(kind.transfers * place.share));
  const results = servers.map(() => ({ rate: [] as number[], cpu: [] as number[], p99: [] as number[] }));
  for (let round = 0; round < place.rounds; round++) {
    for (let i = 0; i < servers.length; i++) {
      // Whoever is first changes, so that no one always finds the machine as the same other left it.
      const at = (i + round) % servers.length;
      const server = servers[at]!;
      const before = server.cpu;
      const args = [server.address, "69", FILE, path, clients, transfers, blockSize, windowSize].map(String);
      const { stdout } = await run(load, args, { timeout: 120_000 });
      const { seconds, bytes, failed, p99 } = JSON.parse(stdout) as Figures;
      if (failed > 0) throw new Error(`${server.name}: ${failed} transfers failed`);
      results[at]!.rate.push(bytes / 1e6 / seconds);
      results[at]!.cpu.push((server.cpu - before) / (bytes / 1e6));
      results[at]!.p99.push(p99);
    }
  }
  const [ours, ...theirs] = results;
  const name = `TFTP, ${clients} ${clients === 1 ? "client" : "clients"} ${kind.name}`;
  theirs.forEach((peer, i) => {
    const { name: of } = servers[i + 1]!;
    print(compare(name, "MB/s", ours!.rate, peer.rate, of));
    print(compare(`${name}, CPU of the server`, "ms/MB", ours!.cpu, peer.cpu, of));
    if (clients > 1) print(compare(`${name}, slowest hundredth of the files`, "ms", ours!.p99, peer.p99, of));
  });
}
