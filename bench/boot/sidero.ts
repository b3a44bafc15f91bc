/** Sidero as its users start it, with the flight recorder, its log and its store. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SIDERO } from "../../test/peers/locate.ts";
import type { Place } from "./place.ts";
import { startServer } from "./server.ts";
import type { Server } from "./server.ts";

/** What iPXE for UEFI has, and about what an agent's initial RAM disk has. */
const PROGRAM_SIZE = 284_672;
const ASSET_SIZE = 32 * 1024 * 1024;

/** Folder of `snp.efi`, the only program. */
export const programs = (place: Place): string => join(place.directory, "programs");
/** Folder of `initramfs-amd64`, which machines know as `/env/agent-amd64/initramfs.xz`. */
export const image = (place: Place): string => join(place.directory, "image");

export const HTTP_PORT = "8081";

/** Listens on 127.0.0.1, and for DHCP on the interface `ours`. */
export async function startSidero(place: Place): Promise<Server> {
  for (const folder of [programs(place), image(place)]) mkdirSync(folder);
  writeFileSync(join(programs(place), "snp.efi"), randomBytes(PROGRAM_SIZE));
  for (const file of ["vmlinuz-amd64", "initramfs-amd64"]) writeFileSync(join(image(place), file), randomBytes(ASSET_SIZE));
  const subnets = join(place.directory, "subnets.yaml");
  writeFileSync(subnets, "subnets:\n  - subnet: 10.80.0.0/16\n    mode: server\n    pools: [10.80.1.0-10.80.254.255]\n");
  const flags = {
    data: join(place.directory, "data"),
    "api-address": "127.0.0.1:6443",
    "health-addr": "off",
    "diagnostics-address": "off",
    "http-port": HTTP_PORT,
    "tftp-address": "127.0.0.1:69",
    "boot-programs": programs(place),
    "agent-image": image(place),
    dhcp: "off",
    "dhcp-interfaces": "ours",
    "dhcp-subnets": subnets,
  };
  return startServer(place, {
    name: "sidero",
    address: "127.0.0.1",
    command: [SIDERO, "up", ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)],
    ready: "ready",
  });
}
