/** A machine's BMC: OpenIPMI's `ipmi_sim` at an address of its own on the rack's network, wired to the machine's switches and serial line. */
import { createWriteStream } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start, waitFor, type Child } from "../../test/peers/process.ts";
import { inside, ip, output } from "../command.ts";
import type { BmcDescription } from "../description.ts";
import type { Machine } from "../machine.ts";
import type { Network } from "../network.ts";
import { obey } from "./chassis.ts";
import { addressOf, COMMANDS, lanConfiguration, SERIAL_PORT } from "./configuration.ts";

const HOOK = fileURLToPath(new URL("hook.sh", import.meta.url));
/** Port 623 as /proc/net/udp has it. */
const LISTENS = /:026F /;

export interface Bmc {
  readonly address: string;
  readonly description: BmcDescription;
  /** What it was ordered and asked, a line each; for proofs and for people. */
  readonly orders: readonly string[];
  /** It hangs, as BMCs do: takes packets and never answers, until {@link thaw}. */
  freeze(): void;
  thaw(): void;
  /** Standard output of ipmitool, IPMI 2.0 with cipher suite 3, as the user of the description. */
  ipmitool(...args: string[]): Promise<string>;
  /** ipmitool that goes on, as `sol activate` does; what is typed comes by its standard input. */
  command(...args: string[]): [string, string[]];
  stop(): Promise<void>;
}

/** Resolves when it listens. `logs` is the folder of its log. */
export async function startBmc(network: Network, machine: Machine, description: BmcDescription, logs: string): Promise<Bmc> {
  const { name } = machine.description;
  const directory = join(network.directory, `${name}.bmc`);
  const path = (file: string): string => join(directory, file);
  await mkdir(path("state"), { recursive: true });
  const namespace = await network.annex(description.host);
  const address = addressOf(description);
  const lan = await interfaceOf(namespace, address);
  const orders: string[] = [];

  const answer = async (line: string): Promise<string> => {
    orders.push(line);
    try {
      return await obey(machine, lan, line);
    } catch (error) {
      return `error: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
  const doors = [
    await listen(path("hook"), (socket) => converse(socket, answer)),
    await listen(path("serial"), (socket) => machine.join(socket)),
  ];
  const cable = ["TCP-LISTEN:" + SERIAL_PORT + ",bind=127.0.0.1,reuseaddr,fork", `UNIX-CONNECT:${path("serial")}`];
  const children: Child[] = [start(...inside(namespace, "socat", cable))];
  await writeFile(path("lan.conf"), lanConfiguration(machine.description, description, `${HOOK} ${path("hook")}`));
  await writeFile(path("commands"), COMMANDS);
  const args = ["-n", "-c", path("lan.conf"), "-f", path("commands"), "-s", path("state")];
  const simulator = start(...inside(namespace, "ipmi_sim", args));
  children.push(simulator);
  simulator.process.stdout?.pipe(createWriteStream(join(logs, `${name}.bmc.log`), { flags: "a" }));
  const isListening = async (): Promise<true | undefined> =>
    LISTENS.test(await readFile(`/proc/${simulator.process.pid}/net/udp`, "utf8")) ? true : undefined;
  await waitFor(simulator, `the BMC of ${name}`, 20_000, isListening);

  const command = (...words: string[]): [string, string[]] => {
    const { user, password } = description;
    const session = ["-I", "lanplus", "-C", "3", "-H", address, "-U", user, "-P", password];
    return inside(network.namespace, "ipmitool", [...session, ...words]);
  };
  return {
    address,
    description,
    orders,
    freeze: () => void simulator.process.kill("SIGSTOP"),
    thaw: () => void simulator.process.kill("SIGCONT"),
    ipmitool: (...words) => output(...command(...words)),
    command,
    async stop() {
      simulator.process.kill("SIGCONT");
      for (const child of children.reverse()) await child.stop("SIGKILL");
      for (const door of doors) door.close();
    },
  };
}

function listen(path: string, take: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, take);
  return new Promise((resolve, reject) => server.once("error", reject).listen(path, () => resolve(server)));
}

function converse(socket: Socket, answer: (line: string) => Promise<string>): void {
  let line = "";
  socket.on("error", () => undefined);
  socket.on("data", (piece) => (line += String(piece)));
  socket.on("end", () => void answer(line.trim()).then((text) => socket.end(text)));
}

/** What LAN parameters say (IPMI 2.0 table 23-4), by the names of the hook. */
async function interfaceOf(namespace: string, address: string): Promise<Record<string, string>> {
  const [link] = JSON.parse(await ip("-n", namespace, "-json", "link", "show", "dev", "eth0")) as [{ address: string }];
  const none = { ip: "0.0.0.0", mac: "00:00:00:00:00:00" };
  return {
    ip_addr: address,
    ip_addr_src: "static",
    mac_addr: link.address,
    subnet_mask: "255.255.255.0",
    default_gw_ip_addr: "10.77.0.1",
    default_gw_mac_addr: none.mac,
    backup_gw_ip_addr: none.ip,
    backup_gw_mac_addr: none.mac,
  };
}
