/** What a kernel turns the machine into: by what its bytes say, the agent or Talos. */
import { argumentOf, parseCommandLine } from "#agent/steps/command-line.ts";
import type { Outcome } from "../firmware/ipxe.ts";
import type { Body, Installation, SystemDisk } from "../talos/body.ts";
import { Talos } from "../talos/talos.ts";
import { runSimulatedAgent } from "./agent.ts";
import { linuxOn } from "./hardware.ts";
import type { SimDisk } from "./disk.ts";
import type { Life } from "./life.ts";
import type { SimMachine } from "./machine.ts";

type Booted = Extract<Outcome, { does: "boot" }>;

/** How the simulation's kernels begin. */
export const AGENT_KERNEL = "kernel of the agent";
export const SYSTEM_KERNEL = "kernel of a system";

/** Comes back when the kernel is none. */
export async function runLinux(machine: SimMachine, life: Life, { kernel, commandLine }: Booted): Promise<void> {
  const text = Buffer.from(kernel.subarray(0, 256)).toString("latin1");
  await machine.work.during(life.sleep(machine.identity.model.kernel));
  const cidr = await machine.ports.wires.address(life);
  // On the wall of a real data centre the kernel is a real one, and says so by its arguments.
  const isAgent = text.startsWith(AGENT_KERNEL) || argumentOf(parseCommandLine(commandLine), "sidero.endpoint") !== undefined;
  if (isAgent) return await runAgent(machine, life, cidr, commandLine);
  return await runTalos(machine, life, { cidr, commandLine, version: versionIn(text) });
}

/** What is on its disk, and needs no network to start. */
export async function runInstalled(machine: SimMachine, life: Life, { version }: Installation): Promise<void> {
  await machine.work.during(life.sleep(machine.identity.model.kernel));
  machine.screen = "system";
  machine.ports.tell("runs what is on its disk");
  const cidr = await machine.ports.wires.address(life);
  return await runTalos(machine, life, { cidr, commandLine: "talos.platform=metal", version });
}

async function runAgent(machine: SimMachine, life: Life, cidr: string, commandLine: string): Promise<void> {
  const { entropy, tell, wires } = machine.ports;
  machine.screen = "agent";
  tell("runs the agent");
  const linux = linuxOn(machine.identity, cidr, commandLine);
  const hang = (): Promise<never> => new Promise(() => {});
  linux.reboot = async () => {
    machine.reset();
    await hang();
  };
  linux.powerOff = async () => {
    machine.switchOff();
    await hang();
  };
  const print = (): void => {};
  await life.live(
    runSimulatedAgent({
      life,
      entropy,
      linux,
      disks: machine.disks,
      work: machine.work,
      commandLine,
      wires,
      print,
      systemInterface: machine.systemInterface,
    }),
  );
}

interface Start {
  readonly cidr: string;
  readonly commandLine: string;
  readonly version: string;
}

async function runTalos(machine: SimMachine, life: Life, { cidr, commandLine, version }: Start): Promise<void> {
  const { wires, tell, talos } = machine.ports;
  const { uuid, serial, mac } = machine.identity;
  machine.screen = machine.installed === undefined ? "environment" : "system";
  tell(`runs Talos ${version}`);
  const body: Body = {
    uuid,
    serial,
    mac,
    life,
    address: cidr.split("/", 1)[0]!,
    line: parseCommandLine(commandLine),
    version,
    disk: systemDiskOf(machine),
    fetch: (url) => wires.fetch(life, url),
    tell,
    running: () => (machine.screen = "system"),
    reboot: () => machine.reset(),
    powerOff: () => machine.switchOff(),
  };
  await new Talos(talos, body).run();
}

function systemDiskOf(machine: SimMachine): SystemDisk {
  return {
    get installed() {
      return machine.installed;
    },
    install(installation, path) {
      const fits = ({ name, model }: SimDisk): boolean =>
        path === undefined ? model.removable !== true : path === `/dev/${name}`;
      const disk = machine.disks.find(fits);
      disk?.install(installation);
      return disk !== undefined;
    },
    erase() {
      for (const disk of machine.disks) if (disk.system !== undefined) disk.zero(0, disk.model.size);
    },
  };
}

/** A kernel of the simulation has its address in it, and that its version. */
function versionIn(text: string): string {
  return /\/(v\d+\.\d+\.\d+[\w.-]*)\//.exec(text)?.[1] ?? "v1.13.0";
}
