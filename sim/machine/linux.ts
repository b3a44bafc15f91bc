/** What a kernel from the network turns the machine into: by what its bytes say, the agent or a system that installs itself. */
import type { HttpRequest, HttpResponse } from "#io/http.ts";
import { argumentOf, parseCommandLine } from "#agent/steps/command-line.ts";
import { askForLease } from "../firmware/dhcp.ts";
import type { Lease } from "../firmware/dhcp.ts";
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
  await life.sleep(machine.identity.model.kernel);
  const lease = await addressOf(machine, life);
  if (text.startsWith(AGENT_KERNEL)) return await runAgent(machine, life, lease, commandLine);
  if (text.startsWith(SYSTEM_KERNEL)) return await runInstaller(machine, life, lease, commandLine);
}

/** The kernel's own DHCP, for ever if it has to be. */
async function addressOf(machine: SimMachine, life: Life): Promise<Lease> {
  const { nic, identity, ports } = machine;
  for (;;) {
    const lease = await askForLease({ nic, uuid: identity.uuid, program: "ipxe", architecture: 7 }, life, ports.entropy);
    if (lease !== undefined) return lease;
    await life.sleep(1_000);
  }
}

async function runAgent(machine: SimMachine, life: Life, lease: Lease, commandLine: string): Promise<void> {
  const { entropy, tell } = machine.ports;
  machine.screen = "agent";
  tell("runs the agent");
  const linux = linuxOn(machine.identity, lease.cidr, commandLine);
  const hang = (): Promise<never> => new Promise(() => {});
  linux.reboot = async () => {
    machine.reset();
    await hang();
  };
  linux.powerOff = async () => {
    machine.switchOff();
    await hang();
  };
  const request = (authority: string, asked: HttpRequest): Promise<HttpResponse> =>
    exchange(machine, life, lease, authority, asked);
  await life.live(
    runSimulatedAgent({
      life,
      entropy,
      linux,
      commandLine,
      request,
      print: () => {},
    }),
  );
}

/** A connection of a machine that lost its power is noticed by the other side when its patience ends. */
const NOTICED = 30_000;

function exchange(
  { ports: { web, clock } }: SimMachine,
  life: Life,
  { address }: Lease,
  authority: string,
  asked: HttpRequest,
): Promise<HttpResponse> {
  const gone = new AbortController();
  asked.signal?.addEventListener("abort", () => gone.abort(asked.signal?.reason), { once: true });
  const forget = life.onEnd(() => clock.after(NOTICED, () => gone.abort(new Error("no answer from the machine"))));
  return web.request(address, authority, { ...asked, signal: gone.signal }, forget);
}

/** Like Talos: asks for its configuration until it gets one, writes itself to disk, and starts from there. */
async function runInstaller(machine: SimMachine, life: Life, lease: Lease, commandLine: string): Promise<void> {
  const { web, tell } = machine.ports;
  machine.screen = "environment";
  tell("runs its environment");
  const url = argumentOf(parseCommandLine(commandLine), "talos.config") ?? "";
  while (URL.canParse(url)) {
    const { host, pathname } = new URL(url);
    const target = `${pathname}?uuid=${machine.identity.uuid}`;
    const answer = await life.live(web.request(lease.address, host, { method: "GET", target }).catch(() => undefined));
    if (answer?.status === 200) break;
    await life.sleep(CONFIGURATION);
  }
  await life.sleep(INSTALLATION);
  machine.installed = "an installed system";
  machine.reset();
}
