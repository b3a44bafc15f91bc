/** Brings the machine onto the network it booted from, and waits until it is there. */
import type { Clock } from "#io/clock.ts";
import { sleep } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { InterfaceAddress, Machine } from "#io/machine.ts";
import { toLatin1 } from "#std/bytes.ts";
import { carrierOf, linkCommands } from "./commands.ts";
import type { NetworkPlan } from "./plan.ts";

/** Milliseconds between two looks. */
const LOOK = 50;
/** Milliseconds between two lines that say what is waited for. */
const PROGRESS = 5_000;
/** Milliseconds until any interface will do: firmware may say the address of one that the kernel has no driver for. */
const PATIENCE = 60_000;

export interface NetworkOptions {
  readonly machine: Machine;
  readonly clock: Clock;
  readonly log: Log;
  readonly plan: NetworkPlan;
  /** Where Sidero is, to know which kind of address is enough: 4, 6, or either for a name. */
  readonly family: 4 | 6 | "any";
  /** Starts a DHCPv6 client on an interface; it goes on for ever. Only where the server may be reached by IPv6, or by order. */
  readonly dhcp6: (name: string) => void;
}

export interface Network {
  /** The interface with the addresses; more than one when the one it booted from never turned up. */
  readonly interfaces: readonly string[];
  /** Of the interface it booted from, as it is, or as the kernel argument says. */
  readonly mac: string;
}

/** Resolves when the machine has an address to reach Sidero from, which may be never; it says all the time what it waits for. */
export async function bringUp(options: NetworkOptions): Promise<Network> {
  const { machine, clock, log, plan, family } = options;
  for (const problem of plan.problems) log.warn(`kernel argument ${problem}`);
  const found = await findInterfaces(options);
  for (const { name } of found) await carryOut(options, name);
  const carriers = found.map(({ name }) => carrierOf(plan, name));
  const started = clock.monotonic();
  let said = started;
  const isUsable = (each: InterfaceAddress): boolean =>
    carriers.includes(each.interface) && isGlobal(each) && (family === "any" || (family === 6) === each.cidr.includes(":"));
  while (!machine.addresses().some(isUsable)) {
    await sleep(clock, LOOK);
    if (clock.monotonic() - said < PROGRESS) continue;
    said = clock.monotonic();
    log.info(
      `waiting for an address on ${carriers.join(", ")}: ${await stateOf(machine, carriers[0]!)}, ${seconds(clock, started)} s`,
    );
  }
  const addresses = machine.addresses().filter(isUsable);
  log.info(`network: ${addresses.map((each) => `${each.interface} ${each.cidr}`).join(", ")}`);
  return { interfaces: carriers, mac: plan.mac ?? found[0]!.mac };
}

interface Found {
  readonly name: string;
  readonly mac: string;
}

async function findInterfaces({ machine, clock, log, plan }: NetworkOptions): Promise<readonly Found[]> {
  const started = clock.monotonic();
  let said = started;
  for (;;) {
    const all = await hardwareInterfaces(machine);
    const wanted = all.filter(({ name, mac }) => (plan.mac === undefined ? (plan.device ?? name) === name : mac === plan.mac));
    if (wanted.length > 0) return wanted;
    if (clock.monotonic() - started > PATIENCE && all.length > 0) {
      log.warn(`no interface has the address ${plan.mac ?? plan.device}, trying ${all.map(({ name }) => name).join(", ")}`);
      return all;
    }
    if (clock.monotonic() - said >= PROGRESS) {
      said = clock.monotonic();
      const there = all.map(({ name, mac }) => `${name} ${mac}`).join(", ") || "none";
      log.info(`waiting for interface ${plan.mac ?? plan.device ?? "any"}, ${seconds(clock, started)} s; there are: ${there}`);
    }
    await sleep(clock, LOOK);
  }
}

/** Interfaces with a device behind them; loopback and what the kernel makes up have none. */
async function hardwareInterfaces(machine: Machine): Promise<Found[]> {
  const names = await machine.list("/sys/class/net");
  const found = await Promise.all(
    names.map(async (name) => {
      const device = await machine.resolve(`/sys/class/net/${name}/device`);
      const mac = toLatin1((await machine.read(`/sys/class/net/${name}/address`)) ?? new Uint8Array()).trim();
      return device === undefined || mac === "" ? [] : [{ name, mac: mac.toLowerCase() }];
    }),
  );
  return found.flat();
}

async function carryOut({ machine, log, plan, family, dhcp6 }: NetworkOptions, name: string): Promise<void> {
  const carrier = carrierOf(plan, name);
  if (plan.ipv6.how === "off") await machine.write(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1");
  for (const [program = "", ...args] of linkCommands(plan, name)) {
    const { status, output } = await machine.run(program, args);
    if (status !== 0) log.warn(`${program} ${args.join(" ")}: exit code ${status} ${output.trim()}`);
  }
  if (plan.ipv6.how === "dhcp" || (plan.ipv6.how === "auto" && family !== 4)) dhcp6(carrier);
}

/**
 * Brings the other interfaces up, so that their link, speed and neighbour can be seen. They get no addresses: a router's advertisement
 * there must not become a way out of here.
 */
export async function raiseOthers(machine: Machine, used: readonly string[]): Promise<void> {
  for (const { name } of await hardwareInterfaces(machine)) {
    if (used.some((each) => each === name || each.startsWith(`${name}.`))) continue;
    await machine.write(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, "1");
    await machine.run("ip", ["link", "set", name, "up"]);
  }
}

/** Neither loopback nor link-local: what upstream reports, and what can reach a server. */
export function isGlobal({ cidr, internal }: InterfaceAddress): boolean {
  return !internal && !/^(?:169\.254\.|fe[89ab][0-9a-f]:)/i.test(cidr);
}

async function stateOf(machine: Machine, name: string): Promise<string> {
  const carrier = toLatin1((await machine.read(`/sys/class/net/${name}/carrier`)) ?? new Uint8Array()).trim();
  return carrier === "1" ? "link is up" : "there is no link";
}

function seconds(clock: Clock, since: number): number {
  return Math.round((clock.monotonic() - since) / 1000);
}
