/**
 * A rack's network: a bridge in a network namespace of its own, so that nothing of it is seen outside and several racks stand side
 * by side. Whatever is started in it dies with this process; what a killed process left behind is cleared away by the next one.
 */
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ip, output } from "./command.ts";

const PREFIX = "sidero-lab-";

export interface Network {
  /** Namespace with the bridge `rack`; what serves the rack runs in it. */
  readonly namespace: string;
  /** Of the bridge: where the rack's services are. */
  readonly address: string;
  /** For disks, firmware variables and logs; gone after `close`. */
  readonly directory: string;
  /** A new tap interface on the bridge, by its name. */
  plug(): Promise<string>;
  /** A neighbour: another namespace, with an interface `eth0` of 10.77.0.`host` and fd77::`host` on the same bridge. */
  annex(host: number): Promise<string>;
  close(): Promise<void>;
}

/** A network 10.77.0.0/24 and fd77::/64 with the bridge at .1 and ::1. Needs root. */
export async function createNetwork(): Promise<Network> {
  if (process.getuid?.() !== 0) throw new Error("the lab makes network namespaces and needs root");
  await clearStale();
  const namespace = unusedName();
  const directory = await mkdtemp(join(tmpdir(), `${namespace}-`));
  const namespaces: string[] = [];
  let plugs = 0;

  const open = async (name: string): Promise<void> => {
    await ip("netns", "add", name);
    namespaces.push(name);
    await ip("-n", name, "link", "set", "lo", "up");
  };

  await open(namespace);
  // Addresses are what is said here, also where somebody advertises a prefix.
  await output("ip", ["netns", "exec", namespace, "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/default/accept_ra"]);
  await ip("-n", namespace, "link", "add", "rack", "type", "bridge", "stp_state", "0", "forward_delay", "0");
  await ip("-n", namespace, "addr", "add", "10.77.0.1/24", "dev", "rack");
  await ip("-n", namespace, "addr", "add", "fd77::1/64", "dev", "rack", "nodad");
  await ip("-n", namespace, "link", "set", "rack", "up");
  // A bridge without anything on it has no carrier: to programs it looks like an interface that is down.
  await ip("-n", namespace, "link", "add", "spare", "type", "veth", "peer", "name", "spare-end");
  await ip("-n", namespace, "link", "set", "spare-end", "up");
  await ip("-n", namespace, "link", "set", "spare", "master", "rack", "up");

  return {
    namespace,
    address: "10.77.0.1",
    directory,
    async plug() {
      const tap = `tap${plugs++}`;
      await ip("-n", namespace, "tuntap", "add", "dev", tap, "mode", "tap");
      await ip("-n", namespace, "link", "set", tap, "master", "rack", "up");
      return tap;
    },
    async annex(host) {
      const name = `${namespace}.${namespaces.length}`;
      const cable = `annex${namespaces.length}`;
      await open(name);
      await ip("-n", namespace, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name);
      await ip("-n", namespace, "link", "set", cable, "master", "rack", "up");
      await ip("-n", name, "addr", "add", `10.77.0.${host}/24`, "dev", "eth0");
      await ip("-n", name, "addr", "add", `fd77::${host}/64`, "dev", "eth0", "nodad");
      await ip("-n", name, "link", "set", "eth0", "up");
      return name;
    },
    async close() {
      for (const name of namespaces.splice(0)) await ip("netns", "del", name);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

let made = 0;

/** Says whose it is: process id and, as these come again, the process's time of start. */
function unusedName(): string {
  return `${PREFIX}${process.pid}-${startOf(process.pid)}-${made++}`;
}

/** Clock ticks from the machine's boot to the start of a process (proc(5), `stat` field 22); undefined when there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function isStale(name: string): boolean {
  const [pid, start] = name.slice(PREFIX.length).split("-");
  return name.startsWith(PREFIX) && startOf(Number(pid)) !== start;
}

/** Namespaces and directories whose process is no more. Its programs have died with it. */
async function clearStale(): Promise<void> {
  const namespaces = await readdir("/run/netns").catch(() => []);
  // Two labs may start at once: what the other one has cleared is no fault.
  for (const name of namespaces.filter(isStale)) await ip("netns", "del", name).catch(() => undefined);
  const directories = (await readdir(tmpdir())).filter(isStale);
  for (const name of directories) await rm(join(tmpdir(), name), { recursive: true, force: true });
}
