/** The boot handler with files in memory, on a real port. */
import { createHash, randomBytes } from "node:crypto";
import { Admission } from "#boot/http/admission.ts";
import { type BootHandlerOptions, createBootHandler } from "#boot/http/handler.ts";
import { programsOf } from "#boot/programs.ts";
import type { Inventory } from "#decide/boot/asker.ts";
import type { Sighting } from "#decide/sighting.ts";
import type { Blob } from "#io/blobs.ts";
import { silent } from "#io/log.ts";
import { createMemorySeal } from "#io/memory/seal.ts";
import { systemClock } from "#io/node/clock.ts";
import { digest } from "#io/node/digest.ts";
import { systemEntropy } from "#io/node/entropy.ts";
import { listen } from "#io/node/serve.ts";
import type { Listener } from "#io/serve.ts";

const LIMITS = { headers: 5_000, idle: 10_000, buffered: 1024 * 1024, stalled: 10_000 };

/** Four chunks. */
export const IN_FLIGHT = 1024 * 1024;

export function blobOf(bytes: Buffer): Blob {
  return {
    sha512: createHash("sha512").update(bytes).digest("hex"),
    size: bytes.length,
    async *read(start, end) {
      // In pieces, as from a disk.
      for (let at = start; at < end; at += 100_000) yield bytes.subarray(at, Math.min(at + 100_000, end));
    },
  };
}

/** Nothing is known but what the test adds. */
export function inventoryOf(parts: Partial<Inventory> = {}): Inventory {
  return {
    isComplete: true,
    server: () => undefined,
    serversByMac: () => [],
    binding: () => undefined,
    serverClass: () => undefined,
    environment: () => undefined,
    ...parts,
  };
}

export const KERNEL = randomBytes(1_500_000);
export const INITRD = randomBytes(3_000_000);
export const PROGRAM = randomBytes(200_000);

export interface BootServer extends Listener {
  readonly url: string;
  readonly sightings: Sighting[];
  readonly admission: Admission;
  /** `agent-amd64/vmlinuz`; what is deleted is missing. */
  readonly assets: Map<string, Blob>;
}

export async function startBoot(parts: Partial<BootHandlerOptions> = {}, host = "127.0.0.1", port = 0): Promise<BootServer> {
  const sightings: Sighting[] = [];
  const admission = new Admission({ limit: IN_FLIGHT, patience: 5_000, clock: systemClock });
  const assets = new Map<string, Blob>();
  for (const environment of ["agent-amd64", "default"]) {
    assets.set(`${environment}/vmlinuz`, blobOf(KERNEL));
    assets.set(`${environment}/initramfs.xz`, blobOf(INITRD));
  }
  const handler = createBootHandler({
    inventory: inventoryOf(),
    assets: {
      find: async (name, architecture, file) => (architecture === "amd64" ? assets.get(`${name}/${file}`) : undefined),
    },
    programs: programsOf(
      new Map([
        ["snp.efi", PROGRAM],
        ["undionly.kpxe", PROGRAM],
        ["arm64/ipxe.efi", PROGRAM],
      ]),
    ),
    seal: createMemorySeal(1),
    digest,
    clock: systemClock,
    entropy: systemEntropy,
    log: silent,
    witness: (sighting) => void sightings.push(sighting),
    settings: { endpoint: "", port: 8081, diskMethod: "ipxe-exit", agentArguments: [], tokenLifetime: 3_600_000 },
    admission,
    ...parts,
  });
  const listener = await listen({ host, port, limits: LIMITS }, handler);
  return { ...listener, url: `http://${host}:${listener.port}`, sightings, admission, assets };
}
