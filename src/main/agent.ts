/** `sidero agent`: the program of a machine that is being discovered. Its settings are the arguments of the kernel it was started by. */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import type { GrpcTransportOptions } from "@connectrpc/connect-node";
import { runAgent } from "#agent/steps/agent.ts";
import { createAgentLog } from "#agent/steps/agent-log.ts";
import { argumentOf, parseCommandLine } from "#agent/steps/command-line.ts";
import { loadDrivers } from "#agent/steps/drivers.ts";
import type { PciNames } from "#agent/steps/hardware/pci-names.ts";
import { createPciNames } from "#agent/steps/hardware/pci-names.ts";
import { hardwareReport, identityOf } from "#agent/steps/hardware/report.ts";
import { captureTree } from "#agent/steps/hardware/tree.ts";
import { runDhcp6 } from "#agent/steps/network/dhcp6.ts";
import { networkPlan } from "#agent/steps/network/plan.ts";
import { bringUp, raiseOthers } from "#agent/steps/network/up.ts";
import { createRoad } from "#agent/steps/road.ts";
import { createWiper } from "#agent/steps/wipe/wiper.ts";
import type { Neighbours } from "#agent/steps/hardware/interfaces.ts";
import { listenToNeighbours } from "#agent/steps/neighbours.ts";
import type { IpmiDevice } from "#io/ipmi-device.ts";
import type { Log } from "#io/log.ts";
import type { HardwareInformation } from "#proto/api_pb.js";
import { Fault } from "#std/fault.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { machine } from "#io/node/machine.ts";
import { parseIpv4, parseIpv6 } from "#std/address.ts";
import { toLatin1 } from "#std/bytes.ts";
import { eraseDisk } from "./eraser.ts";
import { VERSION } from "./version.ts";

const PCI_IDS = "/usr/share/misc/pci.ids";
const PCI_IDS_LIMIT = 4 * 1024 * 1024;

/**
 * Runs until the machine reboots. Opens no file for writing but of /proc, /sys and /run, and of disks those of a wipe order that the server has just
 * confirmed. Fault `cli.usage` on a machine that was not started by a boot script: there it would take the network over.
 */
export async function agent(): Promise<void> {
  const line = parseCommandLine(toLatin1((await machine.read("/proc/cmdline")) ?? new Uint8Array()));
  const endpoint = argumentOf(line, "sidero.endpoint") ?? "";
  if (endpoint === "") {
    const problem =
      "the kernel was started without sidero.endpoint: the agent runs in machines that boot its image, and nowhere else";
    throw new Fault("cli.usage", problem, { fault: "caller", retry: "never" });
  }
  const log = createAgentLog(clock, (line) => void process.stderr.write(`[sidero] ${line}\n`));
  // A timer alone does not keep the process alive, and waiting is most of what it does.
  const alive = setInterval(() => {}, 2 ** 30);
  log.info(`sidero agent ${VERSION}`);
  let token = argumentOf(line, "sidero.token");
  const road = createRoad(clock, log);

  const drivers = loadDrivers(machine, clock);
  // Loading HTTP/2 takes longer than all the rest: in the time in which DHCP waits.
  const loading = import("@connectrpc/connect-node");
  const dhcp6 = (name: string): void => void startDhcp6(log, name);
  const networking = road.begin("network");
  const network = await bringUp({ machine, clock, log, plan: networkPlan(line), family: familyOf(endpoint), dhcp6 });
  networking.done(network.interfaces.join(", "));
  await raiseOthers(machine, network.interfaces);
  const neighbours = await listenIfPossible(log);

  let names: PciNames | undefined;
  const inspect = async (): Promise<HardwareInformation> => {
    await drivers.settled;
    names ??= createPciNames(Buffer.from((await machine.read(PCI_IDS, PCI_IDS_LIMIT)) ?? []).toString());
    return hardwareReport({
      tree: await captureTree(machine),
      addresses: machine.addresses(),
      names,
      neighbours,
      agentVersion: VERSION,
    });
  };
  const seed = (): string => systemEntropy.uuid();
  const { createGrpcTransport } = await loading;
  await runAgent({
    transport: createGrpcTransport({
      ...addressOf(endpoint),
      // A server that vanished without a word is noticed between orders.
      pingIntervalMs: 20_000,
      interceptors: [
        (next) => (request) => {
          if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
          return next(request);
        },
      ],
    }),
    machine,
    clock,
    log,
    road,
    identity: identityOf(await captureTree(machine, "identity")),
    version: VERSION,
    bootMac: network.mac,
    facts: Object.fromEntries(
      line.flatMap(({ name, value = "" }) => (name.startsWith("sidero.") && name !== "sidero.token" ? [[name, value]] : [])),
    ),
    inspect,
    wiper: createWiper({ machine, clock, road, eraseDisk, removeMapping: removeIfPossible, seed, inspect }),
    renew: (renewed) => (token = renewed),
    bmc: { open: openIpmiIfPossible, bytes: (length) => new Uint8Array(randomBytes(length)) },
    chance: Math.random,
  });
  clearInterval(alive);
}

async function startDhcp6(log: Log, name: string): Promise<void> {
  try {
    const { openUdp } = await import("#io/node/udp.ts");
    await runDhcp6({ machine, clock, log, open: openUdp, chance: Math.random }, name);
  } catch (error) {
    log.warn(`no DHCPv6 on ${name}: ${Fault.from(error).message}`);
  }
}

/** An image for an architecture without the library for it goes without BMCs. */
async function openIpmiIfPossible(): Promise<IpmiDevice | undefined> {
  // Its driver comes with the others.
  const { openIpmiDevice } = await import("#io/node/ipmi-device.ts");
  return await openIpmiDevice();
}

/** Loaded when first needed: an image without the library has no mappings either. */
async function removeIfPossible(name: string): Promise<boolean> {
  const { removeMapping } = await import("#io/node/block/mapper.ts");
  return removeMapping(name);
}

/** An image for an architecture without the library for it goes without neighbours. */
async function listenIfPossible(log: Log): Promise<Neighbours> {
  try {
    const { openPackets } = await import("#io/node/packet.ts");
    return listenToNeighbours({ machine, clock, log, open: openPackets }).neighbours;
  } catch (error) {
    log.warn(`cannot listen to neighbours: ${Fault.from(error).message}`);
    return new Map();
  }
}

/**
 * Where to connect to. Node writes an IPv6 address into `:authority` without its brackets, which servers refuse: the name there is another
 * one then, and the connection goes where it should.
 */
function addressOf(endpoint: string): Pick<GrpcTransportOptions, "baseUrl" | "nodeOptions"> {
  const { host, port } = partsOf(endpoint);
  if (parseIpv6(host) === undefined) return { baseUrl: `http://${endpoint}` };
  return { baseUrl: `http://sidero:${port}`, nodeOptions: { createConnection: () => connect(port, host) } };
}

/** Which kind of address reaches `HOST:PORT`; a name may have either. */
function familyOf(endpoint: string): 4 | 6 | "any" {
  const { host } = partsOf(endpoint);
  if (parseIpv4(host) !== undefined) return 4;
  return parseIpv6(host) === undefined ? "any" : 6;
}

function partsOf(endpoint: string): { readonly host: string; readonly port: number } {
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, Math.max(0, colon)).replaceAll(/[[\]]/g, ""), port: Number(endpoint.slice(colon + 1)) };
}
