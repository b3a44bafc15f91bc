/** The agent in a simulated machine: our own code, on a Linux that is a table of files, calling by gRPC over the simulated network. */
import { argumentOf, parseCommandLine } from "#agent/steps/command-line.ts";
import { createAgentLog } from "#agent/steps/agent-log.ts";
import { runAgent } from "#agent/steps/agent.ts";
import { createPciNames } from "#agent/steps/hardware/pci-names.ts";
import { hardwareReport, identityOf } from "#agent/steps/hardware/report.ts";
import { captureTree } from "#agent/steps/hardware/tree.ts";
import { createRoad } from "#agent/steps/road.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemoryIpmiDevice } from "#io/memory/ipmi-device.ts";
import type { MemoryMachine } from "#io/memory/machine.ts";
import type { HardwareInformation } from "#proto/api_pb.js";
import type { IpmiChannel } from "#wire/ipmi/packet.ts";
import { createWiper } from "#agent/steps/wipe/wiper.ts";
import type { SimDisk } from "./disk.ts";
import { eraserOf } from "./eraser.ts";
import type { Life } from "./life.ts";
import type { Wires } from "./wires.ts";
import type { Work } from "./work.ts";

export interface AgentPorts {
  readonly life: Life;
  readonly entropy: SeededEntropy;
  readonly linux: MemoryMachine;
  readonly disks: readonly SimDisk[];
  readonly work: Work;
  readonly commandLine: string;
  readonly wires: Wires;
  readonly print: (line: string) => void;
  /** The machine's BMC, where there is one. */
  readonly systemInterface: IpmiChannel | undefined;
}

const VERSION = "sim";

/** Runs until the machine's power goes. */
export async function runSimulatedAgent({
  life,
  entropy,
  linux,
  disks,
  work,
  commandLine,
  wires,
  print,
  systemInterface,
}: AgentPorts): Promise<void> {
  const line = parseCommandLine(commandLine);
  const endpoint = argumentOf(line, "sidero.endpoint") ?? "";
  let token = argumentOf(line, "sidero.token");
  const log = createAgentLog(life, print);
  const road = createRoad(life, log);
  const identity = identityOf(await captureTree(linux, "identity"));
  const erase = eraserOf(disks, life, identity.serial);
  let looked: HardwareInformation | undefined;
  // Nothing of it changes while the machine runs; looking every minute would be most of what a simulation does.
  const inspect = async (): Promise<HardwareInformation> => {
    looked ??= hardwareReport({
      tree: await captureTree(linux),
      addresses: linux.addresses(),
      names: createPciNames(""),
      neighbours: new Map(),
      agentVersion: VERSION,
    });
    return looked;
  };
  await runAgent({
    transport: wires.grpc(life, endpoint, () => token),
    machine: linux,
    clock: life,
    log,
    road,
    identity,
    version: VERSION,
    bootMac: argumentOf(line, "sidero.mac") ?? "",
    facts: Object.fromEntries(
      line.flatMap(({ name, value = "" }) => (name.startsWith("sidero.") && name !== "sidero.token" ? [[name, value]] : [])),
    ),
    inspect,
    wiper: createWiper({
      machine: linux,
      clock: life,
      road,
      eraseDisk: (...erasing) => work.during(erase(...erasing)),
      removeMapping: async () => false,
      seed: () => entropy.uuid(),
      inspect,
    }),
    bmc: {
      open: async () => systemInterface && createMemoryIpmiDevice((message) => life.live(systemInterface.request(message))),
      bytes: (length) => entropy.bytes(length),
    },
    renew: (renewed) => (token = renewed),
    chance: () => entropy.fraction(),
  });
}
