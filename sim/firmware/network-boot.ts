/** Boot from the network as machines do it: DHCP, a boot program by TFTP or HTTP, and in that program (iPXE) DHCP again and the script. */
import type { BootOnce } from "#decide/power.ts";
import type { SimMachine } from "../machine/machine.ts";
import type { Life } from "../machine/life.ts";
import { askForLease } from "./dhcp.ts";
import type { Asking, Lease } from "./dhcp.ts";
import { runIpxe } from "./ipxe.ts";
import type { IpxeMachine, Outcome } from "./ipxe.ts";
import { fetchByTftp } from "./tftp.ts";

/** Numbers of RFC 4578's registry. */
const ARCHITECTURE = { bios: 0, uefi: 7, http: 16 } as const;
const FAILED: Outcome = { does: "exit", status: 1 };

/** What the boot program left to be done; a failure is an exit with a status. */
export async function bootFromNetwork(machine: SimMachine, life: Life, once: BootOnce | undefined): Promise<Outcome> {
  const { model } = machine.identity;
  const byHttp = once?.device === "http" || (once === undefined && model.netBoot === "http");
  const program = byHttp ? await bootProgramByHttp(machine, life, once?.url) : await bootProgramByPxe(machine, life);
  if (!program) return FAILED;
  const lease = await ask(machine, life, { program: "ipxe", architecture: ARCHITECTURE[model.firmware] });
  if (lease === undefined || !URL.canParse(lease.file)) return FAILED;
  return await runIpxe(ipxeOn(machine, life, lease), new URL(lease.file));
}

async function bootProgramByPxe(machine: SimMachine, life: Life): Promise<boolean> {
  const lease = await ask(machine, life, { program: "pxe", architecture: ARCHITECTURE[machine.identity.model.firmware] });
  if (lease === undefined || lease.file === "") return false;
  return isProgram(await fetchByTftp(machine.nic, lease, lease.file, life));
}

/** UEFI 2.10 §24.7: the URL comes from DHCP, or from who asked for this boot. */
async function bootProgramByHttp(machine: SimMachine, life: Life, url: string | undefined): Promise<boolean> {
  const lease = await ask(machine, life, { program: "http", architecture: ARCHITECTURE.http });
  const file = url ?? lease?.file ?? "";
  if (lease === undefined || !URL.canParse(file)) return false;
  return isProgram(await fetchByHttp(machine, life, lease, new URL(file)));
}

function ask(machine: SimMachine, life: Life, asking: Pick<Asking, "program" | "architecture">): Promise<Lease | undefined> {
  const { nic, identity, ports } = machine;
  return askForLease({ nic, uuid: identity.uuid, ...asking }, life, ports.entropy);
}

/** What the simulation has in place of iPXE's binaries begins with its name. */
function isProgram(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && Buffer.from(bytes.subarray(0, 4)).toString() === "iPXE";
}

export async function fetchByHttp(machine: SimMachine, life: Life, lease: Lease, url: URL): Promise<Uint8Array | undefined> {
  const { web } = machine.ports;
  const whole = async (): Promise<Uint8Array | undefined> => {
    const target = url.pathname + url.search;
    const answer = await web.request(lease.address, url.host, { method: "GET", target });
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body) pieces.push(piece);
    return answer.status === 200 ? Buffer.concat(pieces) : undefined;
  };
  return await life.live(whole().catch(() => undefined));
}

function ipxeOn(machine: SimMachine, life: Life, lease: Lease): IpxeMachine {
  const { uuid, mac, serial, model } = machine.identity;
  const settings = new Map([
    ...Object.entries({ uuid, serial, manufacturer: model.manufacturer, product: model.product, buildarch: "x86_64" }),
    ...Object.entries({ platform: model.firmware === "uefi" ? "efi" : "pcbios", mac, ip: lease.address }),
    ...Object.entries({ "net0/mac": mac, "net0/ip": lease.address, "netX/mac": mac, "netX/ip": lease.address }),
  ]);
  return {
    settings,
    fetch: (url) => fetchByHttp(machine, life, lease, url),
    dhcp: async () => {
      const again = await ask(machine, life, { program: "ipxe", architecture: ARCHITECTURE[model.firmware] });
      return again !== undefined;
    },
    sleep: (milliseconds) => life.sleep(milliseconds),
    hasSystem: () => machine.installed !== undefined,
    print: () => {},
  };
}
