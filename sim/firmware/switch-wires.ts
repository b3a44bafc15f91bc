/** A machine on the simulated switch. It boots as machines do: DHCP, a boot program by TFTP or HTTP, and in that program (iPXE) DHCP again and the script. */
import type { Transport } from "@connectrpc/connect";
import type { BootOnce } from "#decide/power.ts";
import type { Clock } from "#io/clock.ts";
import type { HttpRequest, HttpResponse } from "#io/http.ts";
import type { SeededEntropy } from "#io/memory/entropy.ts";
import type { MemoryNetwork } from "#io/memory/network.ts";
import { INTERFACE } from "../machine/hardware.ts";
import type { Life } from "../machine/life.ts";
import type { Identity } from "../machine/model.ts";
import type { Wires } from "../machine/wires.ts";
import type { Web } from "../web.ts";
import { askForLease } from "./dhcp.ts";
import type { Asking, Lease, Nic } from "./dhcp.ts";
import { grpcOver } from "./grpc.ts";
import { runIpxe } from "./ipxe.ts";
import type { Outcome } from "./ipxe.ts";
import { ipxeSettings } from "./ipxe-settings.ts";
import { fetchByTftp } from "./tftp.ts";

/** Numbers of RFC 4578's registry. */
const ARCHITECTURE = { bios: 0, uefi: 7, http: 16 } as const;
const FAILED: Outcome = { does: "exit", status: 1 };
/** A connection of a machine that lost its power is noticed by the other side when its patience ends. */
const NOTICED = 30_000;

export interface SwitchOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly entropy: SeededEntropy;
  readonly network: MemoryNetwork;
  readonly web: Web;
  /** The switch that its interface is plugged into. */
  readonly segment: string;
}

export class SwitchWires implements Wires {
  readonly #options: SwitchOptions;
  readonly #nic: Nic;

  constructor(options: SwitchOptions) {
    const { identity, network, segment } = options;
    this.#options = options;
    const host = network.host();
    this.#nic = { host, segment, name: INTERFACE, mac: identity.mac, address: undefined };
    host.connect(segment, INTERFACE, [], identity.mac);
  }

  /** What it has by DHCP. */
  get current(): string | undefined {
    return this.#nic.address;
  }

  lose(): void {
    const { host, segment, name, mac } = this.#nic;
    host.connect(segment, name, [], mac);
    this.#nic.address = undefined;
  }

  async boot(life: Life, once: BootOnce | undefined, hasSystem: () => boolean): Promise<Outcome> {
    const { model } = this.#options.identity;
    const byHttp = once?.device === "http" || (once === undefined && model.netBoot === "http");
    const program = byHttp ? await this.#programByHttp(life, once?.url) : await this.#programByPxe(life);
    if (!isProgram(program)) return FAILED;
    const ipxe = { program: "ipxe", architecture: ARCHITECTURE[model.firmware] } as const;
    const lease = await this.#ask(life, ipxe);
    if (lease === undefined || !URL.canParse(lease.file)) return FAILED;
    const machine = {
      settings: ipxeSettings(this.#options.identity, lease.address),
      fetch: (url: URL) => this.fetch(life, url),
      dhcp: async () => (await this.#ask(life, ipxe)) !== undefined,
      sleep: (milliseconds: number) => life.sleep(milliseconds),
      hasSystem,
      print: () => {},
    };
    return await runIpxe(machine, new URL(lease.file));
  }

  async address(life: Life): Promise<string> {
    for (;;) {
      const lease = await this.#ask(life, { program: "ipxe", architecture: ARCHITECTURE.uefi });
      if (lease !== undefined) return lease.cidr;
      await life.sleep(1_000);
    }
  }

  async fetch(life: Life, url: URL): Promise<Uint8Array | undefined> {
    const whole = async (): Promise<Uint8Array | undefined> => {
      const target = url.pathname + url.search;
      const answer = await this.#options.web.request(this.#nic.address ?? "", url.host, { method: "GET", target });
      const pieces: Uint8Array[] = [];
      for await (const piece of answer.body) pieces.push(piece);
      return answer.status === 200 ? Buffer.concat(pieces) : undefined;
    };
    return await life.live(whole().catch(() => undefined));
  }

  grpc(life: Life, authority: string, token: () => string | undefined): Transport {
    return grpcOver(authority, life, (request) => this.#exchange(life, authority, request), token);
  }

  async #exchange(life: Life, authority: string, asked: HttpRequest): Promise<HttpResponse> {
    const { web, clock } = this.#options;
    const gone = new AbortController();
    asked.signal?.addEventListener("abort", () => gone.abort(asked.signal?.reason), { once: true });
    const forget = life.onEnd(() => clock.after(NOTICED, () => gone.abort(new Error("no answer from the machine"))));
    return web.request(this.#nic.address ?? "", authority, { ...asked, signal: gone.signal }, { done: forget });
  }

  async #programByPxe(life: Life): Promise<Uint8Array | undefined> {
    const lease = await this.#ask(life, { program: "pxe", architecture: ARCHITECTURE[this.#options.identity.model.firmware] });
    if (lease === undefined || lease.file === "") return undefined;
    return await fetchByTftp(this.#nic, lease, lease.file, life);
  }

  /** UEFI 2.10 §24.7: the URL comes from DHCP, or from who asked for this boot. */
  async #programByHttp(life: Life, url: string | undefined): Promise<Uint8Array | undefined> {
    const lease = await this.#ask(life, { program: "http", architecture: ARCHITECTURE.http });
    const file = url ?? lease?.file ?? "";
    return lease === undefined || !URL.canParse(file) ? undefined : await this.fetch(life, new URL(file));
  }

  #ask(life: Life, asking: Pick<Asking, "program" | "architecture">): Promise<Lease | undefined> {
    const { identity, entropy } = this.#options;
    return askForLease({ nic: this.#nic, uuid: identity.uuid, ...asking }, life, entropy);
  }
}

/** What the simulation has in place of iPXE's binaries begins with its name. */
function isProgram(bytes: Uint8Array | undefined): boolean {
  return bytes !== undefined && Buffer.from(bytes.subarray(0, 4)).toString() === "iPXE";
}
