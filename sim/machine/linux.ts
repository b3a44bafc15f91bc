/** What a kernel from the network turns the machine into: by what its bytes say, the agent or a system that installs itself. */
import { argumentOf, parseCommandLine } from "#agent/steps/command-line.ts";
import type { Outcome } from "../firmware/ipxe.ts";
import { runSimulatedAgent } from "./agent.ts";
import { linuxOn } from "./hardware.ts";
import type { Life } from "./life.ts";
import type { SimMachine } from "./machine.ts";

type Booted = Extract<Outcome, { does: "boot" }>;

/** How the simulation's kernels begin. */
export const AGENT_KERNEL = "kernel of the agent";
export const SYSTEM_KERNEL = "kernel of a system";
/** Milliseconds between two attempts of a system to get its configuration, and of an installation. */
const CONFIGURATION = 10_000;
const INSTALLATION = 90_000;

/** Comes back when the kernel is none. */
export async function runLinux(machine: SimMachine, life: Life, { kernel, commandLine }: Booted): Promise<void> {
  const text = Buffer.from(kernel.subarray(0, 64)).toString("latin1");
  await machine.work.during(life.sleep(machine.identity.model.kernel));
  const cidr = await machine.ports.wires.address(life);
  // On the wall of a real data centre the kernel is a real one, and says so by its arguments.
  const isAgent = text.startsWith(AGENT_KERNEL) || argumentOf(parseCommandLine(commandLine), "sidero.endpoint") !== undefined;
  if (isAgent) return await runAgent(machine, life, cidr, commandLine);
  return await runInstaller(machine, life, commandLine);
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

/** Like Talos: asks for its configuration until it gets one, writes itself to disk, and starts from there. */
async function runInstaller(machine: SimMachine, life: Life, commandLine: string): Promise<void> {
  const { wires, tell } = machine.ports;
  machine.screen = "environment";
  tell("runs its environment");
  const url = argumentOf(parseCommandLine(commandLine), "talos.config") ?? "";
  while (URL.canParse(url)) {
    const asked = new URL(url);
    asked.searchParams.set("uuid", machine.identity.uuid);
    if ((await wires.fetch(life, asked)) !== undefined) break;
    await life.sleep(CONFIGURATION);
  }
  await life.sleep(INSTALLATION);
  machine.disks[0]?.fill();
  machine.installed = "an installed system";
  machine.reset();
}
