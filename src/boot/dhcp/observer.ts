/** Tells the flight recorder and the log what DHCP sees and says of machines that boot. */
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { BootFile } from "#decide/dhcp/boot-file.ts";
import type { Sighting, What, Whom, Witness } from "#decide/sighting.ts";
import type { Client } from "#wire/dhcp/client.ts";
import { Recent } from "../recent.ts";

/** Machines that are remembered as ones that boot from the network. */
const MACHINES = 16_384;
/** After so long without a program from us, iPXE is the ROM's and not the one we handed out. */
const CHAIN_TIME = 300_000;

interface Seen {
  /** When it was last given a boot program, on {@link Clock.monotonic}. */
  readonly programAt?: number;
}

export class Observer {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #witness: Witness;
  readonly #seen = new Recent<Seen>(MACHINES);
  /** What was logged of whom, so that a machine that asks every few seconds is one line. */
  readonly #logged = new Recent<true>(MACHINES);

  constructor(options: { readonly clock: Clock; readonly log: Log; readonly witness: Witness }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#witness = options.witness;
  }

  /** Whether this is any of our business: it boots from the network, or did a while ago. */
  isOurs({ program, mac }: Pick<Client, "program" | "mac">): boolean {
    return program !== "other" || (mac !== undefined && this.#seen.get(mac) !== undefined);
  }

  discover(client: Client, where: string): void {
    if (client.mac !== undefined && this.#seen.get(client.mac) === undefined) this.#seen.set(client.mac, {});
    this.sight("dhcp.discover", client, `${describe(client)} asked for an address, ${where}`, {
      waitingFor: "an answer by DHCP",
      ...(this.#begins(client) ? { begins: true } : {}),
    });
  }

  /** It was told what to boot. */
  told(client: Client, file: BootFile | undefined): void {
    const { mac } = client;
    if (mac === undefined || file === undefined || file.refusal !== undefined || client.program === "ipxe") return;
    this.#seen.set(mac, { programAt: this.#clock.monotonic() });
  }

  sight(
    what: What,
    client: Pick<Client, "mac" | "uuid">,
    text: string,
    more: Partial<Sighting> & { address?: string | undefined } = {},
  ): void {
    const { address, ...rest } = more;
    const of: Whom = {
      ...(client.mac === undefined ? {} : { mac: client.mac }),
      ...(client.uuid === undefined ? {} : { uuid: client.uuid.text }),
      ...(address === undefined ? {} : { address }),
    };
    this.#witness({ of, at: this.#clock.now(), what, text, ...rest });
  }

  /** A refusal: seen, and logged once for a machine and a reason. */
  refuse(client: Pick<Client, "mac" | "uuid">, text: string, waitingFor?: string): void {
    this.sight("dhcp.refused", client, text, waitingFor === undefined ? {} : { waitingFor });
    this.warnOnce(`${client.mac ?? "a machine without MAC address"}: ${text}`);
  }

  warnOnce(line: string): void {
    if (this.#logged.get(line) !== undefined) return;
    this.#logged.set(line, true);
    this.#log.warn(`DHCP: ${line}`);
  }

  /** Firmware speaks at the beginning of a boot; so does iPXE in the card's ROM, but not iPXE that firmware has just had from us. */
  #begins({ program, mac }: Client): boolean {
    if (program !== "ipxe") return program !== "other";
    const { programAt } = (mac === undefined ? undefined : this.#seen.get(mac)) ?? {};
    return programAt === undefined || this.#clock.monotonic() - programAt > CHAIN_TIME;
  }
}

const PROGRAMS = {
  ipxe: "iPXE",
  "u-boot": "U-Boot",
  http: "firmware (HTTP boot)",
  pxe: "firmware (PXE)",
  other: "a system",
} as const;

/** `iPXE 1.0.0 (x86 BIOS)` */
function describe({ program, ipxe, architecture, vendorClass }: Client): string {
  const version = ipxe?.version === undefined ? "" : ` ${ipxe.version}`;
  const detail = architecture?.name ?? (program === "other" ? vendorClass : undefined);
  return `${PROGRAMS[program]}${version}${detail === undefined ? "" : ` (${detail})`}`;
}
