/** The machine's network interfaces, as the kernel shows them to processes of this network namespace. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { isIPv4 } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import type { Interface, Interfaces } from "../udp.ts";

const SYS = "/sys/class/net";
/** `linux/if.h`. */
const UP = 0x1;
const LOOPBACK = 0x8;
/** Bytes; the kernel keeps some thousand neighbours at most. */
const MOST_TABLE = 4 * 1024 * 1024;
const NO_MAC = "00:00:00:00:00:00";

export const interfaces: Interfaces = {
  async list() {
    const addresses = networkInterfaces();
    const names = new Set([...(await readdir(SYS).catch(() => [])), ...Object.keys(addresses)]);
    const found = await Promise.all([...names].map((name) => describe(name, addresses[name] ?? [])));
    return found.filter((each) => each !== undefined).toSorted((a, b) => a.index - b.index);
  },
  neighbour: async (address) => (isIPv4(address) ? inArpTable(address) : inNeighbourTable(address)),
};

async function describe(name: string, infos: readonly NetworkInterfaceInfo[]): Promise<Interface | undefined> {
  const [index, flags, mac] = await Promise.all(["ifindex", "flags", "address"].map((file) => read(`${SYS}/${name}/${file}`)));
  if (index === undefined || flags === undefined) return undefined;
  return {
    name,
    index: Number(index),
    ...(mac === undefined || mac === "" || mac === NO_MAC ? {} : { mac }),
    isUp: (Number(flags) & UP) !== 0,
    isLoopback: (Number(flags) & LOOPBACK) !== 0,
    addresses: infos.map(({ address, cidr, family }) => {
      const host = family === "IPv4" ? 32 : 128;
      return { address, prefix: Number(cidr?.split("/")[1] ?? host), family: family === "IPv4" ? 4 : 6 };
    }),
  };
}

async function read(path: string): Promise<string | undefined> {
  return (await readFile(path, "utf8").catch(() => undefined))?.trim();
}

/** The columns are address, type, flags, MAC, mask, device; flag 2 says that the entry is complete. */
async function inArpTable(address: string): Promise<string | undefined> {
  const table = (await read("/proc/net/arp")) ?? "";
  const entry = table
    .split("\n")
    .map((line) => line.split(/\s+/))
    .find((columns) => columns[0] === address);
  return entry !== undefined && (Number(entry[2]) & 2) !== 0 ? entry[3] : undefined;
}

let looking: Promise<string> | undefined;

/** IPv6's table has no file. Anybody on the network can have us look: all who ask meanwhile share one look, so that there is one process at a time. */
async function inNeighbourTable(address: string): Promise<string | undefined> {
  looking ??= new Promise<string>((resolve) => {
    execFile("ip", ["-6", "neigh", "show"], { timeout: 5000, maxBuffer: MOST_TABLE }, (_, text) => resolve(text));
  }).finally(() => (looking = undefined));
  const line = (await looking).split("\n").find((each) => each.startsWith(`${address} `));
  return /lladdr ([0-9a-f:]{17})/.exec(line ?? "")?.[1];
}
