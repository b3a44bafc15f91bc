/**
 * What a client is given to boot. In this order, so that nobody runs in circles: iPXE gets the script, firmware that boots from HTTP a URL
 * of iPXE, every other firmware the name of iPXE for TFTP. iPXE that cannot speak HTTP gets one that can.
 */
import type { Architecture } from "#wire/dhcp/architecture.ts";
import { architectureOf } from "#wire/dhcp/architecture.ts";
import type { Client } from "#wire/dhcp/client.ts";

/** The boot program for an architecture, or for people why there is none. */
export type ProgramFor = (architecture: Architecture) => { readonly name: string } | { readonly refusal: string };

export interface BootFacts {
  /** IP address at which this client reaches us, for TFTP and HTTP. */
  readonly server: string;
  /** TCP port of HTTP. */
  readonly port: number;
  readonly programFor: ProgramFor;
  /** Or why not, for people. */
  readonly mayBoot: true | string;
}

export interface BootFile {
  /** How the client fetches it; with `tftp` the name is a path on the server. */
  readonly transport: "tftp" | "http";
  /** A path, or a whole URL. */
  readonly name: string;
  /** Why it gets nothing to boot; the name is made of it then, because firmware shows names on the console. */
  readonly refusal?: string;
  /** The boot ROM of a Raspberry Pi, which wants to be spoken to in a way of its own. */
  readonly isRaspberryPi?: true;
}

/** Registered to the Raspberry Pi Foundation and Raspberry Pi Trading. */
const RASPBERRY_PI = new Set(["b8:27:eb", "dc:a6:32", "e4:5f:01", "28:cd:c1", "d8:3a:dd", "2c:cf:67", "88:a2:9e"]);
const ARM64_UEFI = architectureOf(11)!;

/** Undefined of a client that does not boot from the network. */
export function bootFileOf(client: Client, facts: BootFacts): BootFile | undefined {
  const { program, architecture } = client;
  if (program === "other" && architecture === undefined) return undefined;
  const transport = program === "ipxe" || program === "http" || architecture?.transport === "http" ? "http" : "tftp";
  if (facts.mayBoot !== true) return refused(transport, facts, facts.mayBoot);
  if (program === "ipxe" && speaksHttp(client)) return { transport: "http", name: urlOf(facts, "boot.ipxe") };
  // The ROM calls itself a PC's BIOS (architecture 0); UEFI on the same board is like any other.
  const isRaspberryPi = architecture?.code === 0 && RASPBERRY_PI.has(client.mac?.slice(0, 8) ?? "");
  const wanted = isRaspberryPi ? ARM64_UEFI : architecture;
  if (wanted === undefined) {
    const named = client.architectures.length === 0 ? "none" : client.architectures.join(" and ");
    return refused(transport, facts, `unknown architecture: it names ${named}`);
  }
  const found = facts.programFor(wanted);
  if ("refusal" in found) return refused(transport, facts, found.refusal);
  if (transport === "http" && program !== "ipxe") return { transport, name: urlOf(facts, `tftp/${found.name}`) };
  return { transport: "tftp", name: found.name, ...(isRaspberryPi ? { isRaspberryPi } : {}) };
}

/** Builds without it are rare; where it does not say what it can do, it can. */
function speaksHttp({ ipxe }: Client): boolean {
  return ipxe === undefined || ipxe.features.length === 0 || ipxe.features.includes("http");
}

/** The name shows up on the machine's console, and in our logs when it asks for it. */
function refused(transport: "tftp" | "http", facts: BootFacts, refusal: string): BootFile {
  const slug = refusal
    .normalize("NFKD")
    .replaceAll(/[^A-Za-z0-9.]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 80);
  const path = `refused/${slug}`;
  return { transport, name: transport === "http" ? urlOf(facts, path) : path, refusal };
}

function urlOf({ server, port }: BootFacts, path: string): string {
  const host = server.includes(":") ? `[${server}]` : server;
  return `http://${host}${port === 80 ? "" : `:${port}`}/${path}`;
}

/** For people: `snp.efi by TFTP from 10.0.0.1`. */
export function bootFileText({ name, transport, refusal }: BootFile, { server }: BootFacts): string {
  if (refusal !== undefined) return `nothing to boot (${refusal})`;
  return transport === "http" ? name : `${name} by TFTP from ${server}`;
}
